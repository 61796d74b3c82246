#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "feed/link.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = as_text({data, size});
    auto const any = parse_host_port(text, true);
    auto const usable = parse_host_port(text);
    require(usable.has_value() == (any.has_value() && any->port > 0));
    if (!any) return 0;
    require(!any->host.empty() && is_plain_text(any->host));
    bool const is_v6 = any->host.find(':') != std::string::npos;
    auto const host = is_v6 ? concat('[', any->host, ']') : any->host;
    auto const again = parse_host_port(concat(host, ':', any->port), true);
    require(again && *again == *any);
    return 0;
}
