#include "swarm/swarm.hpp"

#include "base/signature.hpp"
#include "swarm/libtorrent_access.hpp"
#include "swarm/turnover_guard.hpp"
#include "torrent/info_dict.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/extensions/ut_pex.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/kademlia/item.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/session_stats.hpp>
#include <libtorrent/torrent_flags.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::chrono::milliseconds tick_interval{250};
constexpr std::chrono::milliseconds rescue_interval{500};
constexpr std::uint64_t lonely_search = 80; // ticks: 20 s
constexpr unsigned starting_ticks = 20;     // own ones: connections are made at the session's
constexpr std::size_t traffic_peers = 1000;
// Datagrams to those that are about to connect, whoever introduces them.
constexpr double introductions_per_second = 4;
constexpr double introductions_burst = limits::awaited_dials;
constexpr std::size_t formation_samples = 4096;

/// Adds a held chunk's torrent in the moment a peer asks for it.
class UnknownTorrentPlugin final : public lt::plugin {
public:
    explicit UnknownTorrentPlugin(std::function<bool(InfoHash const&, lt::add_torrent_params&)> ask)
        : ask_(std::move(ask)) {}

    bool on_unknown_torrent(
        lt::info_hash_t const& hash,
        lt::peer_connection_handle const&,
        lt::add_torrent_params& params
    ) override {
        return ask_(from_sha1(hash.v1), params);
    }

private:
    std::function<bool(InfoHash const&, lt::add_torrent_params&)> ask_;
};

/// Loopback and home networks are limited like any other: --uplink must hold there, too.
lt::ip_filter limit_everybody() {
    constexpr auto global = 1U << static_cast<std::uint32_t>(lt::session::global_peer_class_id);
    lt::ip_filter filter;
    filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), global);
    filter.add_rule(
        lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), global
    );
    return filter;
}

/// A torrent's limit of connections says how many it may dial, see allow_dials; others come in up
/// to three times that, and the session's limit. (Limits are divided by the largest factor of a
/// connection's classes, which is in percent.)
void let_others_in(lt::session& session) {
    constexpr int percent = 33;
    for (auto const id : {lt::session::global_peer_class_id, lt::session::tcp_peer_class_id}) {
        auto peers = session.get_peer_class(id);
        peers.connection_limit_factor = percent;
        session.set_peer_class(id, peers);
    }
}

int metric(char const* name) {
    auto const index = lt::find_metric_idx(name);
    assert(index >= 0);
    return index;
}

std::string_view as_view(std::string const& text) {
    return text;
}

} // namespace

Swarm::Swarm(EventLoop& loop, Store& store, Options options, Events events)
    : loop_(loop)
    , options_(std::move(options))
    , events_(std::move(events))
    , session_id_(random_id<SessionId>())
    , formation_(formation_samples)
    , resolver_(loop.io())
    , timer_(loop.io())
    , introductions_(introductions_per_second, introductions_burst) {
    // The default plugins without smart-ban: chunks are verified piece by piece, and bans are the
    // channel's.
    lt::session_params params{make_settings(options_.network, options_.is_seeder), {}};
    // From an address that it is to listen at, dials fail until it does.
    may_dial_ = params.settings.get_str(lt::settings_pack::outgoing_interfaces).empty();
    params.disk_io_constructor =
        [&store, this](lt::io_context& io, lt::settings_interface const&, lt::counters&) {
            return std::make_unique<StoreDisk>(io, store, layouts_);
        };
    session_ = std::make_unique<lt::session>(std::move(params), loop_.io());
    // The session's own start, which it has posted, sets a filter that leaves local peers
    // unlimited.
    loop_.post([this] {
        if (!session_) return;
        session_->set_peer_class_filter(limit_everybody());
        let_others_in(*session_);
    });
    session_->add_extension(std::make_shared<TurnoverGuard>(loop_, [this] {
        std::vector<lt::torrent_handle> torrents;
        for (auto const& [id, joined] : channels_) {
            if (!stopped_) torrents.push_back(joined.torrent);
        }
        return torrents;
    }));
    session_->add_extension(std::make_shared<UnknownTorrentPlugin>(
        [this](InfoHash const& hash, lt::add_torrent_params& add) {
            return chunks_ && !stopped_ && chunks_->on_unknown(hash, add);
        }
    ));

    auto chunk_events = events_.chunks;
    chunk_events.on_formed = [this](MediaTime took) { formation_.add(took); };
    chunk_events.on_payload = [this](PeerEndpoint const& peer, int down, int up) {
        auto& traffic = traffic_[peer];
        traffic.down += static_cast<std::uint64_t>(down);
        traffic.up += static_cast<std::uint64_t>(up);
        traffic.last = MonotonicClock::now();
        if (traffic_.size() <= traffic_peers) return;
        traffic_.erase(std::ranges::min_element(traffic_, {}, [](auto const& entry) {
            return entry.second.last;
        }));
    };
    chunk_events.on_corrupt = [this](ChunkKey const& key, PeerEndpoint const& peer) {
        auto* const channel = find(key.channel);
        if (channel && !stopped_) channel->ban(peer);
    };
    chunks_ =
        std::make_unique<ChunkTorrents>(loop_, *session_, store, layouts_, std::move(chunk_events));
    session_->set_alert_notify([this] { loop_.post([this] { pump_alerts(); }); });
    limit_session(uplink());
    schedule_tick();
}

Swarm::~Swarm() = default;

std::uint16_t Swarm::listen_port() const {
    return session_ ? session_->listen_port() : 0;
}

ChannelSwarm& Swarm::open(Channel const& channel, ChannelSwarm::Events events) {
    assert(loop_.is_current());
    events.dial = [this, id = channel.channel](PeerEndpoint const& peer) { dial(id, peer); };
    if (options_.network.proxy.empty()) { // which takes no uTP
        events.dial_over_utp = [this, id = channel.channel](PeerEndpoint const& peer) {
            dial_over_utp(id, peer);
        };
        events.let_in = [this](PeerEndpoint const& peer) { let_in(peer); };
    }
    events.own_endpoint = [this] { return minuteswarm::own_endpoint(*session_); };
    events.on_edge = [this] { share_uplink(); };
    events.joining = [this, id = channel.channel] {
        std::vector<ChunkId> chunks;
        for (auto const& key : chunks_->wanted()) {
            if (key.channel == id) chunks.push_back({key.event, key.rendition, key.number});
        }
        return chunks;
    };
    auto& joined = channels_[channel.channel];
    ChannelSwarm::Options const options{
        .channel = channel.channel,
        .session = session_id_,
        .role = channel.role,
        .room = channel.role == ChannelSwarm::Role::source
                    ? LinkRoom{.most = limits::source_neighbours}
                    : LinkRoom{},
        .has_edge = options_.network.edge && channel.role != ChannelSwarm::Role::seeder};
    joined.swarm = std::make_unique<ChannelSwarm>(loop_, options, std::move(events));
    joined.peers = channel.peers;
    joined.trackers = channel.trackers;

    lt::add_torrent_params params;
    params.info_hashes.v1 = to_sha1(channel_info_hash(channel.channel));
    params.save_path = "minuteswarm";
    params.flags = lt::torrent_flags::paused;
    params.max_connections = limits::wanted_neighbours;
    params.extensions.emplace_back([swarm = joined.swarm.get()](
                                       lt::torrent_handle const&, lt::client_data_t
                                   ) { return swarm->make_plugin(); });
    // What it says of others is known from `peers`; but it introduces who is behind a NAT.
    if (!is_narrow(uplink())) params.extensions.emplace_back(&lt::create_ut_pex_plugin);
    lt::error_code error;
    joined.torrent = session_->add_torrent(std::move(params), error);
    if (error) throw StartError{"cannot join the channel's swarm: " + error.message()};
    joined.torrent.resume();
    if (is_listening_) ask_trackers(joined);
    if (may_dial_) dial_peers(channel.channel, joined);
    return *joined.swarm;
}

ChannelSwarm* Swarm::find(ChannelId const& channel) {
    auto const found = channels_.find(channel);
    return found == channels_.end() ? nullptr : found->second.swarm.get();
}

void Swarm::fetch(ChunkKey const& key, Record const& record) {
    auto* const channel = find(key.channel);
    if (!channel || stopped_) return;
    auto const& tracker = options_.network.chunk_tracker;
    if (!tracker.empty()) {
        chunks_->add(key, record, {}, true);
        return chunks_->ask_tracker(key, tracker);
    }
    auto const peers = channel->join({key.event, key.rendition, key.number});
    chunks_->add(key, record, peers, true);
}

void Swarm::on_have(ChunkKey const& key, PeerEndpoint const& peer, bool dial_it) {
    auto const* channel = find(key.channel);
    if (!options_.network.chunk_tracker.empty()) return;
    if (!dial_it || !channel || !chunks_->is_wanted(key)) return;
    auto const is_enough =
        channel->is_thrifty() && chunks_->named_peers(key) >= channel->chunk_peers();
    if (!is_enough) chunks_->add_peers(key, {peer});
}

void Swarm::rescue_stuck() {
    if (!options_.network.chunk_tracker.empty()) return;
    for (auto const& [key, calls] : chunks_->stuck()) {
        auto* const channel = find(key.channel);
        if (!channel) continue;
        ChunkId const chunk{key.event, key.rendition, key.number};
        chunks_->add_peers(key, channel->holders(chunk, calls * rescue_interval));
    }
}

/// A live edge paces its own bytes and comes first; chunks get what it leaves.
void Swarm::share_uplink() {
    if (uplink() == 0) return;
    std::optional<std::uint64_t> left;
    for (auto const& [id, joined] : channels_) {
        auto const* edge = joined.swarm->edge();
        if (!edge) continue;
        auto const here = edge->left_for_chunks() / 8;
        left = left ? std::min(*left, here) : here;
    }
    if (has_paced_edge_ != left.has_value()) {
        has_paced_edge_ = left.has_value();
        limit_session(has_paced_edge_ ? 0 : uplink());
    }
    set_session_tick(!has_paced_edge_ || chunks_->is_busy() || ticks_ < starting_ticks);
    chunks_->limit_upload(left.value_or(0));
}

/// Rate limits hand out quota, and connections are made, once a tick: a longer one adds itself to
/// every piece's way.
void Swarm::set_session_tick(bool is_busy) {
    if (std::exchange(has_short_tick_, is_busy) == is_busy) return;
    lt::settings_pack pack;
    auto const tick = is_busy ? busy_session_tick : idle_session_tick;
    pack.set_int(lt::settings_pack::tick_interval, static_cast<int>(tick.count()));
    session_->apply_settings(std::move(pack));
}

void Swarm::limit_session(std::uint64_t bits_per_second) {
    lt::settings_pack pack;
    // libtorrent lets a tick's worth pass on top; 3 % below keeps the wire within the figure.
    auto const bytes = bits_per_second * 97 / 100 / 8;
    pack.set_int(
        lt::settings_pack::upload_rate_limit,
        static_cast<int>(std::clamp<std::uint64_t>(bytes, bits_per_second > 0, INT32_MAX))
    );
    session_->apply_settings(std::move(pack));
}

void Swarm::schedule_tick() {
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code const& error) {
        if (error || stopped_) return;
        tick();
        schedule_tick();
    });
}

void Swarm::tick() {
    ++ticks_;
    auto const now = MonotonicClock::now();
    if (lets_in_until_ && now >= *lets_in_until_) set_incoming_utp(false);
    chunks_->wake_idle(now);
    share_uplink();
    if (ticks_ % (rescue_interval / tick_interval) == 0) rescue_stuck();
    if (ticks_ % lonely_search == 8) look_for_peers(); // and two seconds after the start
    session_->post_session_stats();
    if (ticks_ % 4 != 0) return;
    chunks_->tick(MonotonicClock::now());
    is_rate_due_ = true;
    for (auto& [peer, traffic] : traffic_) {
        traffic.down_rate = traffic.down - std::exchange(traffic.down_before, traffic.down);
        traffic.up_rate = traffic.up - std::exchange(traffic.up_before, traffic.up);
    }
    for (auto& [id, joined] : channels_) {
        fill(joined, 0);
        auto const interval = joined.swarm->redial_interval(now, joined.dials);
        if (!interval || joined.swarm->neighbourhood().has_source()) joined.dials = 0;
        if (!interval || now - joined.dialled < joined.dial_stretch * *interval) continue;
        dial_peers(id, joined);
    }
}

void Swarm::put_dht_item(
    ChannelKey const& key,
    DhtItem const& item,
    std::int64_t stored,
    std::function<void(std::int64_t, Signature, Bytes)> done
) {
    if (!session_->is_dht_running()) return;
    std::array<char, 32> public_key{};
    std::copy(key.channel().bytes.begin(), key.channel().bytes.end(), public_key.begin());
    session_->dht_put_item(
        public_key,
        [key, item, stored, done = std::move(done)](
            lt::entry& value,
            std::array<char, 64>& signature,
            std::int64_t& sequence,
            std::string const& salt
        ) {
            auto const bytes = encode(item);
            auto const text = as_text(bytes);
            value = lt::entry{lt::entry::preformatted_type{text.begin(), text.end()}};
            sequence = next_sequence(wall_now(), stored, sequence);
            auto const secret = key.expanded();
            auto const signed_item = lt::dht::sign_mutable_item(
                {text.data(), static_cast<std::ptrdiff_t>(text.size())},
                salt,
                lt::dht::sequence_number{sequence},
                lt::dht::public_key{reinterpret_cast<char const*>(key.channel().bytes.data())},
                lt::dht::secret_key{reinterpret_cast<char const*>(secret.data())}
            );
            signature = signed_item.bytes;
            Signature stored_signature;
            std::copy(signature.begin(), signature.end(), stored_signature.bytes.begin());
            if (done) done(sequence, stored_signature, bytes);
        },
        std::string{dht_salt}
    );
}

void Swarm::put_signed_dht_item(
    ChannelId const& channel, Bytes const& value, std::int64_t sequence, Signature const& signature
) {
    if (!session_->is_dht_running()) return;
    std::array<char, 32> public_key{};
    std::copy(channel.bytes.begin(), channel.bytes.end(), public_key.begin());
    session_->dht_put_item(
        public_key,
        [value,
         sequence,
         signature](lt::entry& item, std::array<char, 64>& item_signature, std::int64_t& item_sequence, std::string const&) {
            if (item_sequence > sequence) return; // somebody holds a newer one: leave it
            item = lt::entry{lt::entry::preformatted_type{value.begin(), value.end()}};
            item_sequence = sequence;
            std::copy(signature.bytes.begin(), signature.bytes.end(), item_signature.begin());
        },
        std::string{dht_salt}
    );
}

void Swarm::get_dht_item(ChannelId const& channel) {
    if (!session_->is_dht_running()) return;
    std::array<char, 32> public_key{};
    std::copy(channel.bytes.begin(), channel.bytes.end(), public_key.begin());
    session_->dht_get_item(public_key, std::string{dht_salt});
}

void Swarm::pump_alerts() {
    if (!session_) return;
    std::vector<lt::alert*> alerts;
    session_->pop_alerts(&alerts);
    for (auto* const alert : alerts) {
        if (!stopped_) on_alert(alert);
    }
}

void Swarm::on_alert(lt::alert* alert) {
    if (auto const* listening = lt::alert_cast<lt::listen_succeeded_alert>(alert)) {
        if (listening->socket_type == lt::socket_type_t::tcp && events_.on_listening) {
            events_.on_listening(to_text(
                from_endpoint({listening->address, static_cast<std::uint16_t>(listening->port)})
            ));
        }
        if (!std::exchange(is_listening_, true)) {
            for (auto const& [id, joined] : channels_)
                ask_trackers(joined);
        }
        if (!std::exchange(may_dial_, true)) {
            for (auto& [id, joined] : channels_)
                dial_peers(id, joined);
        }
    } else if (auto const* failed = lt::alert_cast<lt::listen_failed_alert>(alert)) {
        if (failed->socket_type == lt::socket_type_t::tcp && events_.on_listen_failed) {
            events_.on_listen_failed(Error{
                "cannot listen on " + options_.network.listen + ": " + failed->error.message()});
        }
    } else if (auto const* external = lt::alert_cast<lt::external_ip_alert>(alert)) {
        if (events_.on_external) {
            events_.on_external(to_text(from_endpoint({external->external_address, listen_port()}))
            );
        }
    } else if (auto const* item = lt::alert_cast<lt::dht_mutable_item_alert>(alert)) {
        auto const channel = ChannelId::from(
            {reinterpret_cast<std::uint8_t const*>(item->key.data()), item->key.size()}
        );
        std::string value;
        lt::bencode(std::back_inserter(value), item->item);
        auto const decoded = decode_dht_item(as_bytes(as_view(value)));
        if (channel && decoded && events_.on_dht_item) events_.on_dht_item(*decoded, *channel);
    } else if (auto const* put = lt::alert_cast<lt::dht_put_alert>(alert)) {
        auto const channel = ChannelId::from(
            {reinterpret_cast<std::uint8_t const*>(put->public_key.data()), put->public_key.size()}
        );
        if (channel && events_.on_dht_put)
            events_.on_dht_put(*channel, static_cast<std::size_t>(put->num_success));
    } else if (auto const* stats = lt::alert_cast<lt::session_stats_alert>(alert)) {
        static int const down = metric("net.recv_bytes");
        static int const up = metric("net.sent_bytes");
        static int const down_payload = metric("net.recv_payload_bytes");
        static int const up_payload = metric("net.sent_payload_bytes");
        auto const counters = stats->counters();
        auto const value = [&](int index) { return static_cast<std::uint64_t>(counters[index]); };
        if (std::exchange(is_rate_due_, false)) {
            totals_.down_rate = value(down) - std::exchange(totals_.down_before, value(down));
            totals_.up_rate = value(up) - std::exchange(totals_.up_before, value(up));
        }
        for (auto const& [id, joined] : channels_) {
            if (auto* edge = joined.swarm->edge()) edge->note_upload(value(up) - totals_.up);
        }
        totals_.down = value(down);
        totals_.up = value(up);
        totals_.down_payload = value(down_payload);
        totals_.up_payload = value(up_payload);
    }
}

void Swarm::stop() {
    if (stopped_) return;
    stopped_ = true;
    timer_.cancel();
    resolver_.cancel();
    for (auto& [id, joined] : channels_)
        joined.swarm->stop();
    // The session must end on the loop; what it still does there is kept alive by the proxy.
    ended_ = std::make_unique<lt::session_proxy>(session_->abort());
    session_.reset();
}

} // namespace minuteswarm
