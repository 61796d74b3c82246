#pragma once

#include "base/expected.hpp"

#include <libtorrent/settings_pack.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace minuteswarm {

/// How a process takes part in BitTorrent; the network options of the command line.
struct NetworkOptions {
    std::string listen = "0.0.0.0:6881"; ///< HOST:PORT; port 0: any
    bool is_listen_explicit =
        false; ///< a taken port is an error instead of a reason to try the next
    bool dht = true;
    bool lsd = true;
    bool port_mapping = true;
    std::vector<std::string> dht_bootstrap; ///< host:port; empty: the public DHT's
    std::string proxy;                      ///< socks5://[user:password@]host:port
    bool edge = true;                       ///< take part in the live edge
    std::string chunk_tracker; ///< for comparisons: names the peers of chunks, neighbours do not
    std::uint64_t uplink = 0;  ///< bits per second over all connections; 0: unlimited
};

/// Between two looks of libtorrent at its connections: while something waits for them, and else.
inline constexpr std::chrono::milliseconds busy_session_tick{20};
inline constexpr std::chrono::milliseconds idle_session_tick{100};

/// The parts of socks5://[user:password@]host:port; an IPv6 host stands in brackets.
struct SocksProxy {
    std::string user, password, host;
    std::uint16_t port = 0;
};
Expected<SocksProxy> parse_proxy(std::string const& url);

/// Settings for swarms that live a few seconds, with the reason for each in the source.
/// Throws StartError for a malformed proxy or listen address.
lt::settings_pack make_settings(NetworkOptions const& options, bool is_seeder);

} // namespace minuteswarm
