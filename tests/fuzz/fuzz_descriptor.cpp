#include "feed/statement_codec.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const value = decode_descriptor({data, size});
    if (!value) return 0;
    auto const again = decode_descriptor(encode(*value));
    require(again && *again == *value);
    return 0;
}
