#pragma once

#include "base/expected.hpp"
#include "base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace minuteswarm {

/// What a viewer opens: a BEP 46 magnet that names a channel and where to ask for it.
/// `magnet:?xs=urn:btpk:<64 hex>&s=6d696e757465737761726d&dn=…&x.pe=host:port…&tr=…&ws=…`
struct Link {
    ChannelId channel;
    std::string title;
    std::vector<std::string> peers;     ///< host:port or [v6]:port
    std::vector<std::string> trackers;  ///< URLs
    std::vector<std::string> web_seeds; ///< URLs

    bool operator==(Link const&) const = default;
};

std::string format_link(Link const& link);

/// One line saying what is wrong otherwise: not a magnet, a magnet of something else (plain
/// torrents are named as such), a malformed key, a foreign salt, an unusable endpoint, too long.
Expected<Link> parse_link(std::string_view text);

/// host:port, [v6]:port or v4:port into its parts; port 1-65535 (0 only if `any_port`).
struct HostPort {
    std::string host;
    std::uint16_t port = 0;

    bool operator==(HostPort const&) const = default;
};
Expected<HostPort> parse_host_port(std::string_view text, bool any_port = false);

/// Whether a link can name `text` as a tracker (any scheme) or as a web seed (http, https).
bool is_url(std::string_view text);
bool is_web_url(std::string_view text);

} // namespace minuteswarm
