#include "http/http_route.hpp"

#include "base/text.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace minuteswarm {
namespace {

using Kind = HttpRoute::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 10> fixed_paths{{
    {"/", Kind::page},
    {"/page.js", Kind::page_script},
    {"/page.css", Kind::page_style},
    {"/hls.js", Kind::hls_script},
    {"/api/status", Kind::status},
    {"/metrics", Kind::metrics},
    {"/stream", Kind::any_stream},
    {"/live.m3u8", Kind::live},
    {"/dvr.m3u8", Kind::dvr},
    {"/index.html", Kind::page},
}};

HttpRoute nothing(std::string message) {
    return {Kind::none, {}, std::move(message)};
}

bool is_media_extension(std::string_view text) {
    for (auto const container :
         {Container::mpeg_ts, Container::mp3, Container::adts, Container::fmp4})
        if (text == extension(container)) return true;
    return false;
}

/// Digits without a sign or leading zeros, so that a chunk has one name only.
std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || stop != end || error != std::errc{} || text.front() == '0') return {};
    return value;
}

HttpRoute media_route(std::string_view folder, std::string_view name, Container container) {
    auto const dot = name.find('.');
    if (dot == std::string_view::npos) return nothing("not found");
    auto const stem = name.substr(0, dot);
    auto const ending = name.substr(dot + 1);
    auto const number = parse_number(stem);
    auto const is_stream = folder.empty();
    if (!is_media_extension(ending) || (is_stream ? stem != "stream" : !number))
        return nothing("not found");
    if (ending != extension(container))
        return nothing(concat("this broadcast is at ", folder, "/", stem, ".", extension(container))
        );
    if (is_stream) return {Kind::stream, {}, {}};
    return {Kind::chunk, ChunkNumber{*number}, {}};
}

} // namespace

HttpRoute route_of(std::string_view target, Container container) {
    auto const path = target.substr(0, target.find('?'));
    for (auto const& [fixed, kind] : fixed_paths)
        if (path == fixed) return {kind, {}, {}};
    constexpr std::string_view chunks = "/chunks";
    if (path.starts_with("/chunks/"))
        return media_route(chunks, path.substr(chunks.size() + 1), container);
    if (path.starts_with("/stream.")) return media_route({}, path.substr(1), container);
    return nothing("not found");
}

} // namespace minuteswarm
