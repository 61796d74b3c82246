#pragma once

#include "base/event_loop.hpp"
#include "feed/feed.hpp"
#include "swarm/channel_plugin.hpp"
#include "swarm/live_edge.hpp"
#include "swarm/neighbourhood.hpp"
#include "swarm/rendezvous.hpp"
#include "swarm/token_bucket.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace minuteswarm {

/// One channel's swarm: spreads signed statements and who joins which chunk over its connections,
/// pulls what is missing, and keeps the neighbourhood filled. Loop-only; outlives the session's
/// connections.
class ChannelSwarm final : private ChannelConnection::Receiver {
public:
    enum class Role { source, viewer, seeder };

    struct Options {
        ChannelId channel;
        SessionId session;
        Role role = Role::viewer;
        LinkRoom room;
        bool has_edge = false; ///< takes part in the live edge
    };

    /// What the rest of the program does and answers for it. All on the loop.
    struct Events {
        /// Genuine and new, and in the feed by now.
        std::function<void(Statement const&, EventId)> on_statement;
        /// For a source: signs what `proof` says to a receiver. Without it none is claimed.
        std::function<Signature(SessionId const& own, SessionId const& receiver)> prove_source;
        /// For a source: somebody else publishes with this channel's key.
        std::function<void()> on_foreign_run;
        /// A neighbour joined or completed a chunk; connect to it there if `dial`.
        std::function<void(ChunkId const&, PeerEndpoint const&, bool dial)> on_have;
        std::function<void()> on_newer_protocol; ///< once: anybody can say so
        /// Connect to this endpoint in the channel's swarm.
        std::function<void(PeerEndpoint const&)> dial;
        /// The same over uTP, to one that does not answer TCP; optional, as the next one is.
        std::function<void(PeerEndpoint const&)> dial_over_utp;
        /// This peer is about to do that: a NAT has to let it in.
        std::function<void(PeerEndpoint const&)> let_in;
        std::function<lt::tcp::endpoint()> own_endpoint;
        std::function<void()> on_edge; ///< a live edge has begun: it paces what it sends
        std::function<std::vector<ChannelHandshake::HeldRange>()> held;
        /// Chunks that this node has joined and does not have whole yet.
        std::function<std::vector<ChunkId>()> joining;
        /// Statements that have left the feed's window; optional.
        std::function<void(GetRecordsMessage const&, std::function<void(std::vector<Statement>)>)>
            read_older;
    };

    ChannelSwarm(EventLoop& loop, Options options, Events events);

    std::shared_ptr<lt::torrent_plugin> make_plugin();
    /// Connections that are still under way to this peer.
    [[nodiscard]] std::vector<lt::peer_connection_handle> dials_to(PeerEndpoint const& peer) const;
    void stop();

    /// The feed of an event that this node publishes or keeps.
    Feed& add_feed(EventId event);
    [[nodiscard]] Feed* feed(EventId event);
    /// The highest event known; none before the first statement.
    [[nodiscard]] Feed* newest_feed();

    /// Own statements, also those read from an archive: kept and pushed.
    void publish(Statement const& statement, EventId event);
    /// A source's new chunk: tells the few that take the first copies.
    void announce_complete(ChunkId const& chunk, std::size_t receivers);
    /// This node joins a chunk: returns whom to connect to, and tells everybody.
    std::vector<PeerEndpoint> join(ChunkId const& chunk);
    /// Whom to ask for a chunk that has been `stuck` so long, see Neighbourhood::holders.
    [[nodiscard]] std::vector<PeerEndpoint> holders(ChunkId const& chunk, Duration stuck);
    /// A live stream of few stripes: each word and connection beside it takes of the stream.
    [[nodiscard]] bool is_thrifty() const;
    /// How many are to be dialled for a chunk; few where each connection costs as much as a second
    /// of the stream and the live edge leaves little to fetch.
    [[nodiscard]] std::size_t chunk_peers() const {
        return is_thrifty() ? limits::thrifty_chunk_peers : limits::chunk_peers;
    }

    /// Records from here on are wanted: holes behind `first` are pulled.
    void set_interest(ChunkNumber first) { interest_ = first; }

    /// The live edge of the newest run, at its source or at those that follow it; the one before
    /// ends. Takes all its neighbours in.
    struct EdgeOptions {
        EventId event;
        RenditionId rendition;
        EdgeParameters parameters;
        std::uint64_t bitrate = 0; ///< bits per second; 0: not known
        std::uint64_t uplink = 0;  ///< bits per second; 0: not known
        Duration start_back{};     ///< how far behind the newest group to begin
        std::function<void(GroupHeader const&, std::vector<EdgeBytes> const&)> on_bytes;
    };
    void begin_edge(EdgeOptions options);
    /// None before `begin_edge`.
    [[nodiscard]] LiveEdge* edge() { return edge_.get(); }
    [[nodiscard]] LiveEdge const* edge() const { return edge_.get(); }

    /// A source whose narrow uplink is full: it leaves it to its children to tell the others, takes
    /// few newcomers and dials nobody.
    [[nodiscard]] bool leaves_telling() const;
    /// How often to dial the peers that were named to this node; none: not at all for now. `dials`
    /// is how often they were dialled since there were enough neighbours.
    [[nodiscard]] std::optional<Duration>
    redial_interval(MonotonicTime now, unsigned dials = 0) const;
    /// This endpoint is about to be dialled for a reason.
    void expect(PeerEndpoint const& endpoint) { neighbourhood_.expect(endpoint); }
    void ban(PeerEndpoint const& endpoint);
    [[nodiscard]] Neighbourhood const& neighbourhood() const { return neighbourhood_; }
    [[nodiscard]] bool is_neighbour(PeerEndpoint const& endpoint) const;
    struct Counters {
        std::uint64_t bad_signature = 0;
        std::uint64_t strikes = 0;
        std::uint64_t bytes_sent = 0;
    };
    [[nodiscard]] Counters const& counters() const { return counters_; }

private:
    static constexpr RenditionId only_rendition{0};
    static constexpr StripeIndex first_stripe{0}; ///< its tree carries records, too

    struct Link {
        ChannelConnection* connection = nullptr;
        TokenBucket messages;
        TokenBucket bytes;
        TokenBucket records;       ///< that it may ask for
        TokenBucket statements;    ///< that it may have checked
        TokenBucket peers;         ///< that it may tell of
        TokenBucket introductions; ///< that it may ask for or bring
    };

    Bytes own_handshake() override;
    lt::tcp::endpoint own_endpoint() override { return events_.own_endpoint(); }
    bool welcome(PeerEndpoint const& dialled) override;
    void on_open(ChannelConnection& connection, ByteView handshake) override;
    void on_message(ChannelConnection& connection, ByteView message) override;
    void on_close(ChannelConnection& connection, bool have_crossed) override;

    void part_later(ChannelConnection const& connection);
    void enter(ChannelConnection& connection, ChannelHandshake const& handshake);
    /// The newest event has ended.
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] std::optional<ChannelHandshake::Known> known_feed();
    void exchange_news(NeighbourId id, ChannelHandshake::Known const& theirs, MonotonicTime now);
    void note_known(NeighbourId id, ChannelHandshake::Known const& known);
    void tell_joined(NeighbourId id);
    void handle(NeighbourId from, RecordsMessage const& message);
    void handle(NeighbourId from, GetRecordsMessage const& message);
    void handle(NeighbourId from, HaveMessage const& message);
    void handle(NeighbourId from, PeersMessage const& message);
    void handle(NeighbourId from, GetPeersMessage const& message);
    void handle(NeighbourId from, SubscriptionEnvelope const& message);
    void handle(NeighbourId from, BlockMessage const& message);
    void handle(NeighbourId from, WantMessage const& message);
    void handle(NeighbourId from, MissingMessage const& message);
    void handle(NeighbourId from, ProofMessage const& message);
    void handle(NeighbourId from, RendezvousMessage const& message);
    void handle(NeighbourId from, ConnectMessage const& message);
    void handle(NeighbourId, UnknownMessage const&) {}
    void enter_edge(NeighbourId id);
    void open_edge_link(StripeMask homes, PeerEndpoint const& endpoint);

    bool take_statement(NeighbourId from, Statement const& statement);
    Feed::Outcome accept(Statement const& statement);
    void push(Statement const& statement);
    void send(NeighbourId to, Bytes const& message);
    void strike(NeighbourId id);
    void reply(NeighbourId to, std::vector<Statement> statements);
    void tick();
    void schedule_tick();
    void pull(MonotonicTime now);
    void ask_for_awaited(MonotonicTime now);
    void fill_neighbourhood();
    void ask_for_peers();
    [[nodiscard]] PeersMessage peers_for(NeighbourId to);

    EventLoop& loop_;
    Options options_;
    Events events_;
    std::mt19937_64 random_;
    Neighbourhood neighbourhood_;
    std::map<NeighbourId, Link> links_;
    std::map<EventId, Feed> feeds_;
    /// Somebody has seen it alive.
    struct KnownPeer {
        PeerEndpoint endpoint;
        StripeMask homes = 0;
        NeighbourId teller; ///< who named it last
        unsigned dials = 0; ///< without an answer

        [[nodiscard]] bool is_gone() const { return dials > 3; } ///< and is forgotten
    };
    void dial(KnownPeer& peer);
    void pass_nats(MonotonicTime now);

    std::vector<KnownPeer> known_peers_;
    Rendezvous rendezvous_;
    std::weak_ptr<ChannelPlugin> plugin_;
    std::unique_ptr<LiveEdge> edge_;
    TokenBucket newcomers_;              ///< that enter where leaves_telling
    TokenBucket successors_;             ///< endpoints that parents name, to be dialled
    std::deque<PeerAddress> crossed_;    ///< of dials that did: others still end
    std::vector<PeerEndpoint> directed_; ///< dialled for their homes, not connected yet
    std::optional<ChunkNumber> interest_;
    /// A record that the live edge is to bring; see ask_for_awaited.
    struct Awaited {
        ChunkId chunk;
        MonotonicTime since{};
        int asked = 0;
    };
    std::optional<Awaited> awaited_;
    MonotonicTime last_pull_{};
    MonotonicTime last_poll_{};
    MonotonicTime last_ask_{}; ///< a new neighbour for what it knows
    MonotonicTime last_news_;  ///< when a statement came that was new, or this began
    MonotonicTime last_fill_{};
    bool is_fill_due_ = false;
    bool has_seen_newer_ = false;
    Counters counters_;
    boost::asio::steady_timer timer_;
    bool stopped_ = false;
};

} // namespace minuteswarm
