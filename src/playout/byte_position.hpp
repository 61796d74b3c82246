#pragma once

#include "base/ids.hpp"

#include <compare>
#include <cstdint>

namespace minuteswarm {

/// A byte of a rendition: its chunk, and the offset there.
struct BytePosition {
    ChunkNumber chunk;
    std::uint64_t offset = 0;

    auto operator<=>(BytePosition const&) const = default;
};

} // namespace minuteswarm
