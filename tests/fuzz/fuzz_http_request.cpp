#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "http/host_check.hpp"
#include "http/http_range.hpp"
#include "http/http_route.hpp"
#include "http/icy_metadata.hpp"

using namespace minuteswarm;

namespace {

void check_range(std::string_view text) {
    for (std::uint64_t const size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{188'000}}) {
        auto const answer = answer_range(text, size);
        if (auto const* span = std::get_if<ByteSpan>(&answer))
            require(span->length > 0 && span->offset < size && span->length <= size - span->offset);
    }
}

void check_route(std::string_view text) {
    auto const route = route_of(text, Container::mpeg_ts);
    require((route.kind == HttpRoute::Kind::none) != route.message.empty());
    require(route.message.find_first_of("\r\n") == std::string::npos);
    if (route.kind != HttpRoute::Kind::chunk) return;
    auto const path = concat("/chunks/", route.number.value, ".ts");
    require(text.substr(0, text.find('?')) == path);
}

void check_directives(std::string_view text) {
    auto const directives = directives_of(text);
    require(directives.is_malformed || directives.sequence || !directives.part);
    if (text.find('?') == std::string_view::npos) require(!directives.sequence);
}

/// Audio comes out unchanged between blocks of the announced length.
void check_icy(std::string_view title) {
    IcyMetadata metadata;
    Bytes const audio(IcyMetadata::interval, 7);
    auto const stream = metadata.insert(audio, title);
    require(stream.size() == audio.size() + 1 + stream[audio.size()] * std::size_t{16});
    require(stream.back() == 0 || stream.back() == ';');
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = as_text({data, size});
    check_range(text);
    check_route(text);
    check_directives(text);
    check_icy(text);
    if (is_own_host(text, "127.0.0.1")) require(is_own_host(text, "192.0.2.1"));
    return 0;
}
