#include "fuzz/fuzz.hpp"
#include "input/source_url.hpp"

using namespace minuteswarm;

/// What is shown to people carries neither user and password nor a query.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = as_text({data, size});
    auto const source = parse_source_url(text);
    auto const scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos || text.starts_with("file:")) return 0;
    auto const rest = std::string_view{source.shown}.substr(scheme_end + 3);
    require(rest.find('?') == std::string_view::npos);
    require(rest.substr(0, rest.find('/')).find('@') == std::string_view::npos);
    return 0;
}
