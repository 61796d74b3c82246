#include "edge/stripe_list.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const list = decode_stripe_list({data, size});
    if (!list) return 0;
    require(std::ranges::equal(encode(*list), ByteView{data, size}));
    return 0;
}
