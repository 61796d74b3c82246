#include "archive/part_info.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const info = parse_part_info(as_text({data, size}));
    if (!info) return 0;
    auto const again = parse_part_info(format_part_info(*info));
    require(again && *again == *info);
    return 0;
}
