#include "base/limits.hpp"
#include "feed/dht_item.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const item = decode_dht_item({data, size});
    if (!item) return 0;
    auto const value = encode(*item);
    require(value.size() <= limits::dht_value);
    auto const again = decode_dht_item(value);
    require(again && *again == *item);
    return 0;
}
