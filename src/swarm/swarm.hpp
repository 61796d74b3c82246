#pragma once

#include "base/event_loop.hpp"
#include "base/recent_samples.hpp"
#include "feed/dht_item.hpp"
#include "feed/link.hpp"
#include "store/store.hpp"
#include "swarm/channel_swarm.hpp"
#include "swarm/chunk_torrents.hpp"
#include "swarm/session_settings.hpp"
#include "swarm/store_disk.hpp"
#include "swarm/token_bucket.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <libtorrent/session.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// A process's part in BitTorrent: the one session, its channels' swarms, its chunk torrents, its
/// DHT items. Runs on the loop; must outlive the loop's run, since libtorrent's last handlers run
/// there.
class Swarm {
public:
    struct Options {
        NetworkOptions network;
        bool is_seeder = false; ///< its complete torrents look for peers, too
    };

    struct Events {
        std::function<void(std::string endpoint)>
            on_listening; ///< HOST:PORT it got; once per address
        std::function<void(Error)> on_listen_failed;
        std::function<void(std::string address)> on_external; ///< HOST:PORT as seen from outside
        ChunkTorrents::Events chunks;
        std::function<void(DhtItem const&, ChannelId const&)> on_dht_item;
        std::function<void(ChannelId const&, std::size_t nodes)>
            on_dht_put; ///< so many nodes have stored an item
    };

    Swarm(EventLoop& loop, Store& store, Options options, Events events);
    ~Swarm();

    [[nodiscard]] std::uint16_t listen_port() const;

    struct Channel {
        ChannelId channel;
        ChannelSwarm::Role role = ChannelSwarm::Role::viewer;
        std::vector<std::string> peers; ///< HOST:PORT, names are looked up
        std::vector<std::string> trackers;
    };
    /// Joins a channel's swarm. `dial`, `own_endpoint`, `joining` are filled in here.
    ChannelSwarm& open(Channel const& channel, ChannelSwarm::Events events);
    [[nodiscard]] ChannelSwarm* find(ChannelId const& channel);
    ChunkTorrents& chunks() { return *chunks_; }
    [[nodiscard]] ChunkTorrents const& chunks() const { return *chunks_; }

    /// Starts to fetch a chunk in the swarm of those who announced it.
    void fetch(ChunkKey const& key, Record const& record);
    /// Another neighbour is there for a chunk; see ChannelSwarm::Events::on_have.
    void on_have(ChunkKey const& key, PeerEndpoint const& peer, bool dial);

    /// Puts the channel's DHT item; again and again is fine, the caller keeps the pace.
    /// `done` gets the sequence number and signature that were stored.
    void put_dht_item(
        ChannelKey const& key,
        DhtItem const& item,
        std::int64_t stored,
        std::function<void(std::int64_t, Signature, Bytes)> done
    );
    /// Puts an item that was signed before, unchanged.
    void put_signed_dht_item(
        ChannelId const& channel,
        Bytes const& value,
        std::int64_t sequence,
        Signature const& signature
    );
    void get_dht_item(ChannelId const& channel);

    /// Bits per second that may leave; 0 = unlimited.
    [[nodiscard]] std::uint64_t uplink() const { return options_.network.uplink; }

    /// Who gave and took how much payload, by listening endpoint; the most recent 1000.
    struct Traffic {
        std::uint64_t down = 0;
        std::uint64_t up = 0;
        std::uint64_t down_rate = 0, up_rate = 0; ///< bytes per second, over the last one
        std::uint64_t down_before = 0, up_before = 0;
        MonotonicTime last{};
    };
    [[nodiscard]] std::map<PeerEndpoint, Traffic> const& traffic() const { return traffic_; }
    struct Totals {
        std::uint64_t down = 0, up = 0, down_payload = 0, up_payload = 0;
        std::uint64_t down_rate = 0, up_rate = 0; ///< bytes per second, over the last one
        std::uint64_t down_before = 0, up_before = 0;
    };
    [[nodiscard]] Totals const& totals() const { return totals_; }
    /// From a chunk wanted to its first payload byte.
    [[nodiscard]] RecentSamples const& formation() const { return formation_; }

    /// Starts to end: nothing more is reported; the loop's run returns once libtorrent is through.
    void stop();

private:
    void pump_alerts();
    void on_alert(lt::alert* alert);
    void dial(ChannelId const& channel, PeerEndpoint const& peer);
    void dial_named(ChannelId const& channel, std::string const& host_port);
    void dial_over_utp(ChannelId const& channel, PeerEndpoint const& peer);
    void let_in(PeerEndpoint const& peer);
    void set_incoming_utp(bool is_allowed);
    void set_flag(int setting, bool value);
    void tick();
    void schedule_tick();
    void rescue_stuck();
    void share_uplink();
    void set_session_tick(bool is_busy);
    void limit_session(std::uint64_t bits_per_second);
    void look_for_peers();

    struct Joined {
        std::unique_ptr<ChannelSwarm> swarm;
        lt::torrent_handle torrent;
        std::vector<std::string> peers, trackers;
        MonotonicTime dialled{}; ///< when these were, last
        unsigned dials = 0;      ///< since there were enough neighbours, or the source
        double dial_stretch = 1; ///< of the interval, so that a crowd does not dial in step
    };
    void dial_peers(ChannelId const& channel, Joined& joined);
    static void fill(Joined const& joined, std::size_t least);
    static void ask_trackers(Joined const& joined);

    EventLoop& loop_;
    Options options_;
    Events events_;
    SessionId session_id_;
    StoreDisk::Layouts layouts_;
    std::unique_ptr<lt::session> session_;
    std::unique_ptr<lt::session_proxy> ended_;
    std::map<ChannelId, Joined> channels_;
    std::unique_ptr<ChunkTorrents> chunks_;
    std::map<PeerEndpoint, Traffic> traffic_;
    Totals totals_;
    RecentSamples formation_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer timer_;
    std::optional<MonotonicTime> lets_in_until_; ///< over uTP
    TokenBucket introductions_;                  ///< of all neighbours: each is a datagram
    bool has_paced_edge_ = false;
    bool has_short_tick_ = true;
    std::uint64_t ticks_ = 0;
    bool is_rate_due_ = false;
    bool may_dial_ = true;
    bool is_listening_ = false;
    bool stopped_ = false;
};

} // namespace minuteswarm
