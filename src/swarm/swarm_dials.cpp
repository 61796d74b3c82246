#include "swarm/libtorrent_access.hpp"
#include "swarm/swarm.hpp"

#include <algorithm>

// Whom a swarm connects to.

namespace minuteswarm {
namespace {

// libtorrent takes whom to dial from a list of ten that it has made before.
constexpr std::size_t dials_to_reach_one = 11;
constexpr std::chrono::seconds let_in_for{5}; // Rendezvous tries twice within three

} // namespace

void Swarm::dial(ChannelId const& channel, PeerEndpoint const& peer) {
    auto const found = channels_.find(channel);
    if (stopped_ || found == channels_.end() || !found->second.torrent.is_valid()) return;
    if (found->second.swarm->is_neighbour(peer)) return;
    found->second.swarm->expect(peer);
    connect_peer(found->second.torrent, peer);
    fill(found->second, dials_to_reach_one);
    dial_now(found->second.torrent);
    fill(found->second, 0);
}

/// Whoever else can be dialled is dialled over TCP first: libtorrent would connect to some of them
/// over uTP, too.
void Swarm::dial_over_utp(ChannelId const& channel, PeerEndpoint const& peer) {
    auto const found = channels_.find(channel);
    if (stopped_ || found == channels_.end()) return;
    dial(channel, peer);
    for (auto const& connection : found->second.swarm->dials_to(peer))
        give_up_to_dial_anew(connection);
    set_flag(lt::settings_pack::enable_outgoing_utp, true);
    dial(channel, peer);
    set_flag(lt::settings_pack::enable_outgoing_utp, false);
}

/// Anybody may come over uTP for that while. Else nobody: it is slow, and other clients would
/// rather use it than TCP.
void Swarm::let_in(PeerEndpoint const& peer) {
    if (stopped_ || !introductions_.take(1, MonotonicClock::now())) return;
    set_incoming_utp(true);
    send_datagram(listen_port(), peer);
}

void Swarm::set_incoming_utp(bool is_allowed) {
    lets_in_until_.reset();
    if (is_allowed) lets_in_until_ = MonotonicClock::now() + let_in_for;
    set_flag(lt::settings_pack::enable_incoming_utp, is_allowed);
}

void Swarm::set_flag(int setting, bool value) {
    lt::settings_pack pack;
    pack.set_bool(setting, value);
    session_->apply_settings(std::move(pack));
}

/// Connections that are no neighbours, such as of other clients, do not count.
void Swarm::fill(Joined const& joined, std::size_t least) {
    auto const& neighbourhood = joined.swarm->neighbourhood();
    auto const most = joined.swarm->leaves_telling() ? 0 : neighbourhood.room().wanted;
    auto const wanted = most - std::min(most, neighbourhood.all().size());
    allow_dials(joined.torrent, std::max(wanted, least));
}

void Swarm::dial_peers(ChannelId const& channel, Joined& joined) {
    joined.dialled = MonotonicClock::now();
    ++joined.dials;
    joined.dial_stretch = 1 + static_cast<double>(random_u64() % 512) / 1024;
    for (auto const& peer : joined.peers)
        dial_named(channel, peer);
}

void Swarm::dial_named(ChannelId const& channel, std::string const& host_port) {
    auto const parsed = parse_host_port(host_port);
    if (!parsed) return;
    resolver_.async_resolve(
        parsed->host,
        std::to_string(parsed->port),
        [this, channel](boost::system::error_code const& error, auto const& results) {
            if (error || stopped_) return;
            for (auto const& result : results) {
                auto const endpoint = result.endpoint();
                dial(channel, from_endpoint({endpoint.address(), endpoint.port()}));
            }
        }
    );
}

/// Not before there is a port to tell: else libtorrent asks a second or two later.
void Swarm::ask_trackers(Joined const& joined) {
    for (auto const& url : joined.trackers)
        joined.torrent.add_tracker(lt::announce_entry{url}); // one that it knows is not asked again
}

/// libtorrent asks trackers, the DHT and the local network at intervals that suit files; who has
/// nobody to watch from does not wait half an hour.
void Swarm::look_for_peers() {
    for (auto const& [id, joined] : channels_) {
        if (!joined.swarm->neighbourhood().all().empty()) continue;
        ask_trackers(joined);
        joined.torrent.force_reannounce(); // keeps to a tracker's min interval
        joined.torrent.force_dht_announce();
        joined.torrent.force_lsd_announce();
        if (events_.on_dht_item) get_dht_item(id);
    }
}

} // namespace minuteswarm
