#include "http/http_route.hpp"

#include "base/text.hpp"

#include <algorithm>
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
    return {Kind::none, {}, std::move(message), {}};
}

bool is_media_extension(std::string_view text) {
    for (auto const container :
         {Container::mpeg_ts, Container::mp3, Container::adts, Container::fmp4})
        if (text == extension(container)) return true;
    return false;
}

/// Digits without a sign.
std::optional<std::uint64_t> parse_index(std::string_view text) {
    std::uint64_t value = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || stop != end || error != std::errc{}) return {};
    return value;
}

/// Without leading zeros, so that a chunk has one name only.
std::optional<std::uint64_t> parse_number(std::string_view text) {
    if (text.starts_with('0')) return {};
    return parse_index(text);
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
    if (is_stream) return {Kind::stream, {}, {}, {}};
    return {Kind::chunk, ChunkNumber{*number}, {}, {}};
}

/// `<chunk>-<part>`, or `<chunk>` for all of its parts.
HttpRoute part_route(std::string_view name, Container container) {
    auto const ending = concat(".", extension(container));
    if (!name.ends_with(ending)) return nothing("not found");
    auto const stem = name.substr(0, name.size() - ending.size());
    auto const dash = stem.find('-');
    auto const number = parse_number(stem.substr(0, dash));
    if (!number) return nothing("not found");
    HttpRoute route{Kind::part, ChunkNumber{*number}, {}, {}};
    if (dash == std::string_view::npos) return route;
    route.part = parse_index(stem.substr(dash + 1));
    return route.part ? route : nothing("not found");
}

} // namespace

ReloadDirectives directives_of(std::string_view target) {
    ReloadDirectives directives;
    auto const question = target.find('?');
    auto query =
        question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
    while (!query.empty()) {
        auto const parameter = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), parameter.size() + 1));
        auto const name = parameter.substr(0, parameter.find('='));
        auto const value = parameter.substr(std::min(parameter.size(), name.size() + 1));
        if (name != "_HLS_msn" && name != "_HLS_part") continue;
        auto& directive = name == "_HLS_msn" ? directives.sequence : directives.part;
        directives.is_malformed = directives.is_malformed || directive || !parse_index(value);
        directive = parse_index(value);
    }
    if (directives.part && !directives.sequence) directives.is_malformed = true;
    return directives;
}

HttpRoute route_of(std::string_view target, Container container) {
    auto const path = target.substr(0, target.find('?'));
    for (auto const& [fixed, kind] : fixed_paths)
        if (path == fixed) return {kind, {}, {}, {}};
    constexpr std::string_view chunks = "/chunks";
    if (path.starts_with("/chunks/"))
        return media_route(chunks, path.substr(chunks.size() + 1), container);
    constexpr std::string_view parts = "/parts/";
    if (path.starts_with(parts)) return part_route(path.substr(parts.size()), container);
    if (path.starts_with("/stream.")) return media_route({}, path.substr(1), container);
    return nothing("not found");
}

} // namespace minuteswarm
