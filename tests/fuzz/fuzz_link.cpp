#include "base/limits.hpp"
#include "feed/link.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const link = parse_link(as_text({data, size}));
    if (!link) {
        require(!link.error().message.empty());
        return 0;
    }
    for (auto const& peer : link->peers)
        require(parse_host_port(peer).has_value());
    auto const text = format_link(*link);
    require(text.size() <= limits::link_size);
    auto const again = parse_link(text);
    require(again.has_value() && again->channel == link->channel && again->title == link->title);
    // Percent encoding may make a link too long to carry all of its endpoints.
    if (size < limits::link_size / 4) require(*again == *link);
    return 0;
}
