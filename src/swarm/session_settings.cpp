#include "swarm/session_settings.hpp"

#include "base/error.hpp"
#include "feed/link.hpp"

#include <libtorrent/alert.hpp>

#include <algorithm>
#include <limits>

namespace minuteswarm {
namespace {

using Pack = lt::settings_pack;

/// Peers of a chunk must be dialled, and given up, within a fraction of the chunk's duration.
void set_dialling(Pack& pack, bool is_seeder) {
    pack.set_int(Pack::torrent_connect_boost, 255);
    pack.set_int(Pack::connection_speed, 1000);
    pack.set_bool(Pack::smooth_connects, false);
    // libtorrent takes no note of a seed that it leaves at "upload only", and would dial it again
    // at each turn. During an event those who lack bytes dial; a seeder may be their only way in.
    pack.set_bool(Pack::seeding_outgoing_connections, is_seeder);
    pack.set_int(Pack::min_reconnect_time, is_seeder ? 15 : 1);
    pack.set_int(Pack::max_failcount, 30);
    pack.set_int(Pack::peer_connect_timeout, 3);
    pack.set_int(Pack::handshake_timeout, 3);
    pack.set_int(Pack::peer_timeout, 20);
    pack.set_bool(
        Pack::allow_multiple_connections_per_ip, true
    );                                           // several nodes behind one address
    pack.set_int(Pack::listen_queue_size, 1024); // a burst of viewers must not meet a full backlog
    pack.set_int(Pack::connections_limit, 1300); // 4000 with those who come in, see let_others_in
    pack.set_int(Pack::peer_turnover, 0); // nobody of a channel is exchanged, see TurnoverGuard
    pack.set_int(Pack::peer_turnover_interval, std::numeric_limits<int>::max());
    // uTP first costs seconds. It is for single peers that cannot be had otherwise, see Rendezvous.
    pack.set_bool(Pack::enable_outgoing_utp, false);
    pack.set_bool(Pack::enable_incoming_utp, false);
    pack.set_int(Pack::utp_connect_timeout, 1000);
    pack.set_int(Pack::out_enc_policy, Pack::pe_disabled);
    pack.set_int(Pack::in_enc_policy, Pack::pe_enabled);
}

/// No waits before the first block, no choking rounds, rarest first from the first piece on.
void set_transfer(Pack& pack) {
    pack.set_int(Pack::choking_algorithm, Pack::fixed_slots_choker);
    pack.set_int(Pack::unchoke_slots_limit, -1);
    pack.set_int(Pack::allowed_fast_set_size, 512);
    pack.set_int(Pack::initial_picker_threshold, 0);
    pack.set_int(Pack::whole_pieces_threshold, 0);
    // No block is asked of two peers while others are not asked for at all: on thin uplinks that
    // doubled every chunk's bytes. ChunkPlugin::wake_idle sees to the tail.
    pack.set_bool(Pack::strict_end_game_mode, true);
    // What waits in a slow peer's queue can't be had elsewhere; what waits in a send buffer can't
    // be cancelled.
    pack.set_int(Pack::max_out_request_queue, 4);
    pack.set_int(Pack::send_buffer_watermark, 16 * 1024);
    pack.set_bool(Pack::auto_sequential, false);
    pack.set_int(Pack::predictive_piece_announce, 0);
    pack.set_int(Pack::request_timeout, 3);
    pack.set_int(Pack::piece_timeout, 3);
    pack.set_int(Pack::suggest_mode, Pack::no_piece_suggestions);
    pack.set_int(Pack::send_not_sent_low_watermark, 128 * 1024);
    pack.set_int(Pack::max_queued_disk_bytes, 32 * 1024 * 1024);
    pack.set_int(Pack::mixed_mode_algorithm, Pack::prefer_tcp);
    pack.set_bool(Pack::no_recheck_incomplete_resume, true);
    pack.set_int(Pack::tick_interval, static_cast<int>(busy_session_tick.count()));
}

void set_discovery(Pack& pack, NetworkOptions const& options) {
    pack.set_bool(Pack::enable_dht, options.dht);
    pack.set_bool(Pack::enable_lsd, options.lsd);
    pack.set_bool(Pack::enable_upnp, options.port_mapping);
    pack.set_bool(Pack::enable_natpmp, options.port_mapping);
    pack.set_int(Pack::max_pex_peers, 200);
    pack.set_int(Pack::stop_tracker_timeout, 1);
    pack.set_bool(Pack::allow_idna, false);
    pack.set_bool(
        Pack::ssrf_mitigation, false
    ); // trackers on loopback and in home networks are wanted
    if (options.dht_bootstrap.empty()) return;
    std::string nodes;
    for (auto const& node : options.dht_bootstrap) {
        if (!nodes.empty()) nodes += ',';
        nodes += node;
    }
    // A DHT of one's own is small and may share addresses.
    pack.set_str(Pack::dht_bootstrap_nodes, nodes == "none" ? "" : nodes);
    pack.set_bool(Pack::dht_restrict_routing_ips, false);
    pack.set_bool(Pack::dht_restrict_search_ips, false);
    pack.set_bool(Pack::dht_ignore_dark_internet, false);
    pack.set_bool(Pack::dht_prefer_verified_node_ids, false);
    pack.set_bool(Pack::dht_enforce_node_id, false);
    pack.set_int(Pack::dht_block_ratelimit, 1000);
    pack.set_int(Pack::dht_upload_rate_limit, 1000000);
}

void set_proxy(Pack& pack, std::string const& url) {
    if (url.empty()) return;
    auto const proxy = parse_proxy(url);
    if (!proxy) throw StartError{"--proxy: " + proxy.error().message};
    pack.set_int(Pack::proxy_type, proxy->user.empty() ? Pack::socks5 : Pack::socks5_pw);
    pack.set_str(Pack::proxy_username, proxy->user);
    pack.set_str(Pack::proxy_password, proxy->password);
    pack.set_str(Pack::proxy_hostname, proxy->host);
    pack.set_int(Pack::proxy_port, proxy->port);
}

} // namespace

Expected<SocksProxy> parse_proxy(std::string const& url) {
    constexpr std::string_view scheme = "socks5://";
    SocksProxy proxy;
    auto rest = url.starts_with(scheme) ? url.substr(scheme.size()) : std::string{};
    if (auto const at = rest.rfind('@'); at != std::string::npos) {
        auto const user = rest.substr(0, at);
        auto const colon = user.find(':');
        proxy.user = user.substr(0, colon);
        if (colon != std::string::npos) proxy.password = user.substr(colon + 1);
        rest = rest.substr(at + 1);
    }
    auto const host_port = parse_host_port(rest);
    if (!host_port) return Error{"'" + url + "' is not socks5://[user:password@]host:port"};
    proxy.host = host_port->host;
    proxy.port = host_port->port;
    return proxy;
}

lt::settings_pack make_settings(NetworkOptions const& options, bool is_seeder) {
    auto const listen = parse_host_port(options.listen, true);
    if (!listen) throw StartError{"--listen: " + listen.error().message};
    Pack pack;
    pack.set_str(Pack::user_agent, "minuteswarm/" MINUTESWARM_VERSION);
    pack.set_str(Pack::peer_fingerprint, "-MS0100-");
    pack.set_str(Pack::listen_interfaces, options.listen);
    lt::error_code error;
    auto const address = lt::make_address(listen->host, error);
    // Who listens at one address of several is also seen at no other.
    if (!error && !address.is_unspecified()) pack.set_str(Pack::outgoing_interfaces, listen->host);
    pack.set_int(Pack::max_retry_port_bind, options.is_listen_explicit ? 0 : 20);
    pack.set_bool(Pack::listen_system_port_fallback, false);
    pack.set_int(
        Pack::alert_mask,
        static_cast<int>(static_cast<std::uint32_t>(
            lt::alert_category::error | lt::alert_category::status |
            lt::alert_category::port_mapping | lt::alert_category::dht | lt::alert_category::tracker
        ))
    );
    pack.set_int(Pack::alert_queue_size, 20000);
    set_dialling(pack, is_seeder);
    set_transfer(pack);
    set_discovery(pack, options);
    set_proxy(pack, options.proxy);
    return pack;
}

} // namespace minuteswarm
