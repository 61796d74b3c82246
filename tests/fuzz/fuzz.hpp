#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

/// What libFuzzer and run_corpus.cpp call with every input.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace minuteswarm {

/// Stops the fuzzer where a parser broke a promise; unlike assert also in release builds.
inline void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace minuteswarm
