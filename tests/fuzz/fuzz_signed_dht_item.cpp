#include "feed/dht_item.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const item = decode_signed_dht_item({data, size});
    if (!item) return 0;
    auto const again = decode_signed_dht_item(encode(*item));
    require(again && *again == *item);
    return 0;
}
