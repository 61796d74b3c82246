#include "feed/link.hpp"

#include "base/limits.hpp"
#include "base/percent.hpp"
#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "feed/dht_item.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::string_view scheme = "magnet:?";
constexpr std::string_view key_prefix = "urn:btpk:";
constexpr std::string_view torrent_prefix = "urn:bt"; // btih, btmh
constexpr std::size_t longest_host = 253;             // RFC 1035 2.3.4, without the dots around

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

bool starts_with(std::string_view text, std::string_view lower_case_prefix) {
    return text.size() >= lower_case_prefix.size() &&
           std::ranges::equal(
               text.substr(0, lower_case_prefix.size()), lower_case_prefix, {}, lower
           );
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    auto const first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// Everything up to `separator`, which is taken off `text` together with it.
std::string_view take_until(std::string_view& text, char separator) {
    auto const end = std::min(text.find(separator), text.size());
    auto const taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

/// `tr.1` and `tr` are the same key to magnet links.
std::string_view without_index(std::string_view key) {
    auto const dot = key.rfind('.');
    if (dot == std::string_view::npos || dot + 1 == key.size()) return key;
    return std::ranges::all_of(key.substr(dot + 1), is_digit) ? key.substr(0, dot) : key;
}

/// Collects a link's parameters in whatever order they come.
class LinkReader {
public:
    /// False, with `error` set, for a value that cannot be meant.
    bool read(std::string_view key, std::string const& value);

    [[nodiscard]] Expected<Link> finish() const;
    [[nodiscard]] Error const& error() const { return error_; }

private:
    bool read_source(std::string const& value);
    bool read_salt(std::string const& value);
    bool read_title(std::string const& value);
    bool add(std::vector<std::string>& to, std::string const& value, bool is_usable);
    bool refuse(std::string message);

    Link link_;
    bool has_channel_ = false;
    bool has_salt_ = false;
    bool names_torrent_ = false;
    Error error_;
};

bool LinkReader::read(std::string_view key, std::string const& value) {
    if (key == "xs") return read_source(value);
    if (key == "s") return read_salt(value);
    if (key == "dn") return read_title(value);
    if (key == "x.pe") return add(link_.peers, value, parse_host_port(value).has_value());
    if (key == "tr") return add(link_.trackers, value, is_url(value));
    if (key == "ws") return add(link_.web_seeds, value, is_web_url(value));
    if (key == "xt") names_torrent_ |= starts_with(value, torrent_prefix);
    return true;
}

bool LinkReader::read_source(std::string const& value) {
    if (!starts_with(value, key_prefix)) return true;
    auto const channel = ChannelId::parse_hex(value.substr(key_prefix.size()));
    if (!channel) return refuse("the link's channel key is not 64 hex digits");
    if (has_channel_ && link_.channel != *channel) return refuse("the link names two channels");
    link_.channel = *channel;
    has_channel_ = true;
    return true;
}

bool LinkReader::read_salt(std::string const& value) {
    Bytes salt(value.size() / 2);
    if (!from_hex(value, salt) || as_text(salt) != dht_salt) {
        return refuse("the link is of another program: its salt is not minuteswarm's");
    }
    has_salt_ = true;
    return true;
}

bool LinkReader::read_title(std::string const& value) {
    if (value.size() > limits::title_size || !is_plain_text(value)) {
        return refuse("the link's title is too long or not plain text");
    }
    if (link_.title.empty()) link_.title = value;
    return true;
}

bool LinkReader::add(std::vector<std::string>& to, std::string const& value, bool is_usable) {
    if (!is_usable) {
        return refuse(concat("the link has an unusable address: ", to_plain_text(value, 100)));
    }
    if (to.size() < limits::link_endpoints) to.push_back(value);
    return true;
}

bool LinkReader::refuse(std::string message) {
    error_ = Error{std::move(message)};
    return false;
}

Expected<Link> LinkReader::finish() const {
    if (!has_channel_ && names_torrent_) {
        return Error{
            "this is an ordinary torrent, not a channel: open it with a BitTorrent client"};
    }
    if (!has_channel_)
        return Error{"the link names no channel: minuteswarm's begin with magnet:?xs=urn:btpk:"};
    if (!has_salt_) return Error{"the link is of another program: it lacks minuteswarm's salt"};
    return link_;
}

Expected<std::uint16_t> parse_port(std::string_view text, bool any_port) {
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    bool const is_number = error == std::errc{} && end == text.data() + text.size();
    if (is_number && (port > 0 || any_port)) return port;
    return Error{
        any_port ? "a port is a number from 0 to 65535" : "a port is a number from 1 to 65535"};
}

bool is_address(int family, std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return false;
    std::array<std::byte, sizeof(in6_addr)> address{};
    return inet_pton(family, std::string{text}.c_str(), address.data()) == 1;
}

bool is_label(std::string_view label) {
    auto const is_allowed = [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_';
    };
    return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, is_allowed);
}

bool is_host(std::string_view host) {
    if (host.size() > longest_host) return false;
    // A last label of digits only, or of nothing, is no name but may be an IPv4 address.
    auto const last = host.substr(host.rfind('.') + 1);
    if (std::ranges::all_of(last, is_digit)) return is_address(AF_INET, host);
    while (!host.empty()) {
        if (!is_label(take_until(host, '.'))) return false;
    }
    return true;
}

} // namespace

bool is_url(std::string_view text) {
    auto const colon = text.find("://");
    if (colon == std::string_view::npos || colon == 0 || colon + 3 == text.size()) return false;
    auto const in_scheme = [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    };
    return is_letter(text.front()) && std::ranges::all_of(text.substr(0, colon), in_scheme) &&
           is_plain_text(text) && text.find(' ') == std::string_view::npos;
}

bool is_web_url(std::string_view text) {
    return is_url(text) && (starts_with(text, "http://") || starts_with(text, "https://"));
}

std::string format_link(Link const& link) {
    auto text =
        concat(scheme, "xs=", key_prefix, link.channel.hex(), "&s=", to_hex(as_bytes(dht_salt)));
    // What does not fit is left out: a link that no chat passes on is of no use.
    auto const add = [&](std::string_view key, std::string_view value) {
        auto const part = concat('&', key, '=', percent_encode(value, ":/"));
        if (text.size() + part.size() <= limits::link_size) text += part;
    };
    auto const add_all = [&](std::string_view key, std::vector<std::string> const& values) {
        auto const count = std::min(values.size(), limits::link_endpoints);
        for (std::size_t i = 0; i < count; ++i)
            add(key, values[i]);
    };
    auto const title = to_plain_text(link.title, limits::title_size);
    if (!title.empty()) add("dn", title);
    add_all("x.pe", link.peers);
    add_all("tr", link.trackers);
    add_all("ws", link.web_seeds);
    return text;
}

Expected<Link> parse_link(std::string_view text) {
    text = trim(text);
    if (text.size() > limits::link_size) return Error{"the link is longer than 4 KiB"};
    if (!starts_with(text, scheme)) return Error{"not a link: it does not start with magnet:?"};
    text.remove_prefix(scheme.size());
    LinkReader reader;
    while (!text.empty()) {
        auto parameter = take_until(text, '&');
        auto const key = without_index(take_until(parameter, '='));
        auto const value = percent_decode(parameter);
        if (!value) return Error{"the link has a % without two hex digits"};
        if (!reader.read(key, *value)) return reader.error();
    }
    return reader.finish();
}

Expected<HostPort> parse_host_port(std::string_view text, bool any_port) {
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos) return Error{"an address is HOST:PORT or [IPv6]:PORT"};
    auto const port = parse_port(text.substr(colon + 1), any_port);
    if (!port) return port.error();
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (!is_address(AF_INET6, host)) return Error{"between [ and ] stands no IPv6 address"};
    } else if (host.empty() || !is_host(host)) {
        return Error{"an address is HOST:PORT or [IPv6]:PORT"};
    }
    return HostPort{std::string{host}, *port};
}

} // namespace minuteswarm
