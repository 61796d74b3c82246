#include "archive/event_folder.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = as_text({data, size});
    auto const name = parse_event_folder_name(text);
    if (!name) return 0;
    require(size <= 64);
    require(text.find('/') == std::string_view::npos);
    return 0;
}
