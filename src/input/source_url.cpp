#include "input/source_url.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

using namespace std::chrono_literals;

// A listener hands over to one encoder and is deaf meanwhile. One that connects and says nothing
// must not hold it for ever, so waiting is done in turns and each turn has an end.
constexpr auto accept_turn = 60s;
constexpr auto handshake_timeout = 10s;
constexpr auto connect_timeout = 15s;

bool has_query_flag(std::string_view url, std::string_view name, std::string_view value) {
    auto const mark = url.find('?');
    auto rest = mark == std::string_view::npos ? std::string_view{} : url.substr(mark + 1);
    while (!rest.empty()) {
        auto const end = std::min(rest.find('&'), rest.size());
        auto const part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (part == name && value != "listener") return true;
        if (part == concat(name, '=', value)) return true;
    }
    return false;
}

std::string without_secrets(std::string_view url) {
    auto const scheme_end = url.find("://") + 3;
    auto rest = url.substr(scheme_end);
    rest = rest.substr(0, rest.find('?'));
    auto const host_end = std::min(rest.find('/'), rest.size());
    auto const at = rest.substr(0, host_end).rfind('@');
    if (at != std::string_view::npos) rest.remove_prefix(at + 1);
    return concat(url.substr(0, scheme_end), rest);
}

void make_listener(SourceUrl& source, std::string option, std::string value) {
    source.kind = SourceKind::listener;
    source.options.emplace_back(std::move(option), std::move(value));
    source.open_timeout = accept_turn + handshake_timeout;
}

SourceUrl parse_remote(std::string_view text) {
    SourceUrl source;
    source.kind = SourceKind::live;
    source.url = text;
    source.shown = without_secrets(text);
    source.open_timeout = connect_timeout;

    auto const scheme = text.substr(0, text.find("://"));
    if (scheme == "rtmp") {
        source.options.emplace_back("listen", "1");
        make_listener(source, "timeout", concat(accept_turn.count()));
    } else if (scheme == "srt" && has_query_flag(text, "mode", "listener")) {
        auto const turn = std::chrono::microseconds(accept_turn).count();
        make_listener(source, "listen_timeout", concat(turn));
    } else if (scheme == "tcp" && has_query_flag(text, "listen", "1")) {
        auto const turn = std::chrono::milliseconds(accept_turn).count();
        make_listener(source, "listen_timeout", concat(turn));
    } else if (scheme == "udp" || scheme == "rtp") {
        source.kind = SourceKind::listener; // nothing is connected: silence is all there is to see
        source.open_timeout.reset();
    }
    return source;
}

} // namespace

SourceUrl parse_source_url(std::string_view text) {
    SourceUrl source;
    if (text == "-" || text == "pipe:" || text == "pipe:0") {
        source.kind = SourceKind::pipe;
        source.shown = "standard input";
        return source;
    }
    if (text.starts_with("file:")) {
        text.remove_prefix(5);
        if (text.starts_with("///")) text.remove_prefix(2);
    } else if (text.find("://") != std::string_view::npos) {
        return parse_remote(text);
    }
    source.url = concat("file:", text);
    source.shown = text;
    return source;
}

} // namespace minuteswarm
