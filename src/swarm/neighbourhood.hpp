#pragma once

#include "base/limits.hpp"
#include "base/time.hpp"
#include "edge/link_room.hpp"
#include "swarm/bans.hpp"
#include "swarm/messages.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace minuteswarm {

/// A chunk of the channel whose swarm this is.
struct ChunkId {
    EventId event;
    RenditionId rendition;
    ChunkNumber number;
    auto operator<=>(ChunkId const&) const = default;
};

/// A peer connected in the channel swarm, with what it has said of itself. Its words are hints.
struct Neighbour {
    SessionId session;
    PeerEndpoint endpoint; ///< where it listens; port 0: nowhere
    std::string client;
    bool claims_source = false; ///< its proof may be under way
    bool is_source = false;     ///< it has proven it
    bool has_edge = false;      ///< takes part in the live edge
    Duration delay{};           ///< half the round trip when it came
    bool is_outgoing = false;
    bool is_over_utp = false; ///< instead of TCP
    MonotonicTime last_heard{};
    std::size_t strikes = 0;
    std::vector<ChannelHandshake::HeldRange> held;
    std::map<ChunkId, HaveMessage::State> announced; ///< the newest limits::announced_per_neighbour
    std::set<Signature> knows;                       ///< statements it sent or was sent
    std::deque<Signature> knows_oldest_first;
};

/// Who is connected, what each knows, and so: whom a statement is pushed to, who is told of a
/// chunk, and whom to dial for it. Pure: sends nothing; time and randomness are parameters.
class Neighbourhood {
public:
    struct Options {
        SessionId self;
        LinkRoom room;
    };
    enum class Entry { accepted, self, duplicate, full, banned };

    explicit Neighbourhood(Options options)
        : options_(options) {}

    void set_room(LinkRoom const& room) { options_.room = room; }
    /// Where the source was, last.
    [[nodiscard]] std::optional<PeerEndpoint> const& source() const { return source_; }
    [[nodiscard]] LinkRoom const& room() const { return options_.room; }

    /// A connection has said its handshake. Each session is taken once; only who claims to be the
    /// source is not turned away for another's word: which of them is, its proof will show.
    Entry enter(NeighbourId id, Neighbour neighbour, MonotonicTime now);
    void leave(NeighbourId id);
    /// It has proven to be the source; one that is here already remains the one to dial. Returns
    /// the others of its session, which are to go.
    [[nodiscard]] std::vector<NeighbourId> note_source(NeighbourId id);

    [[nodiscard]] std::map<NeighbourId, Neighbour> const& all() const { return neighbours_; }
    [[nodiscard]] Neighbour const* find(NeighbourId id) const;
    void heard(NeighbourId id, MonotonicTime now);

    /// Counts a malformed or forged message; true when that was one too many and the sender is
    /// banned.
    bool strike(NeighbourId id, MonotonicTime now);
    void ban(PeerAddress const& address, SessionId const& session, MonotonicTime now);
    [[nodiscard]] Bans const& bans() const { return bans_; }

    /// This endpoint is about to be dialled for a reason, once; the last 32 are remembered.
    void expect(PeerEndpoint const& endpoint);
    /// Whether to say a word to a peer that was dialled. Libtorrent dials whom it knows before the
    /// one it was asked for: who has neighbours enough lets those go.
    [[nodiscard]] bool welcome(PeerEndpoint const& dialled);

    /// It sent this statement, or was sent it.
    void note_knows(NeighbourId id, Signature const& statement);
    /// It sent it or was sent it, not long ago.
    [[nodiscard]] bool knows(NeighbourId id, Signature const& statement) const;
    /// Who follows a tree in which statements go from parent to child.
    struct Tree {
        std::set<NeighbourId> children; ///< of this node
        std::set<NeighbourId> others;   ///< that have another parent
    };
    /// Neighbours to push a statement to, of those that do not know it: the children in the tree,
    /// and at most `fanout` of those that are not in it.
    [[nodiscard]] std::vector<NeighbourId> push_targets(
        Signature const& statement,
        std::optional<ChunkId> chunk,
        Tree const& tree,
        std::size_t fanout,
        std::mt19937_64& random
    ) const;

    void on_have(NeighbourId id, HaveMessage const& have);

    /// Whom to connect to for a chunk, and so whom to tell that they need not: `most` that hold
    /// or joined it, and those with a lower session id that joined one of the chunks just before
    /// it, since they are joining at this moment, too. The source only if it announced the chunk or
    /// nobody else did.
    [[nodiscard]] std::vector<NeighbourId>
    dial_targets(ChunkId const& chunk, std::size_t most, std::mt19937_64& random) const;
    /// When a chunk does not come: everybody who may have it, the source only if that is wished or
    /// there is nobody else; if there is none of these, everybody.
    [[nodiscard]] std::vector<NeighbourId> holders(ChunkId const& chunk, bool with_source) const;
    /// Whether to connect to a neighbour that announced a chunk after this node joined it.
    [[nodiscard]] bool should_dial_later(NeighbourId id, HaveMessage::State state) const;

    /// Whether to connect to one that has just come, for a chunk this node is fetching: if it
    /// brought the chunk along. Who claims to be the source does not count, others may have it as
    /// well.
    [[nodiscard]] bool should_dial_newcomer(NeighbourId id, ChunkId const& chunk) const;

    /// One neighbour by chance for a question that any can answer; none without neighbours. The
    /// source seldom, unless there is nobody else: the others have it, too, but after an outage.
    [[nodiscard]] std::optional<NeighbourId> one_to_ask(std::mt19937_64& random) const;
    /// Who has spoken of a chunk, and so has its record; the source only if nobody else has.
    [[nodiscard]] std::vector<NeighbourId> announcers(ChunkId const& chunk) const;
    /// Whether a neighbour says to have all of a chunk.
    [[nodiscard]] bool is_held(ChunkId const& chunk) const;
    /// The oldest chunk of a rendition, none after `last`, that a neighbour said to have as it
    /// came.
    [[nodiscard]] std::optional<ChunkNumber>
    first_held(EventId event, RenditionId rendition, ChunkNumber last) const;

    [[nodiscard]] bool has_source() const;
    /// How often to dial the peers that were named to this node, by a link or its user, when
    /// nothing new has come for `still`: soon while alone, more rarely the more `dials` have been
    /// in vain, as the way to them may be full of others' dials; now and then with the source as a
    /// neighbour, never while others bring what is new. Else soon, as the source may be coming
    /// back, but more rarely the longer it takes: all others are at its door, too.
    [[nodiscard]] std::optional<Duration> redial_interval(Duration still, unsigned dials) const;

    /// The few that a source tells of a new chunk: the copies leave from them. Takes turns.
    [[nodiscard]] std::vector<NeighbourId> first_receivers(std::size_t most);

    /// Endpoints heard from within a minute, for a `peers` message to `to`; the source's when there
    /// is no other.
    [[nodiscard]] PeersMessage
    peers_for(NeighbourId to, MonotonicTime now, std::mt19937_64& random) const;

private:
    [[nodiscard]] bool follows(Neighbour const& neighbour, ChunkId const& chunk) const;
    [[nodiscard]] std::vector<NeighbourId> rather_than_source(std::vector<NeighbourId> all) const;
    [[nodiscard]] static bool brought(Neighbour const& neighbour, ChunkId const& chunk);
    [[nodiscard]] static bool may_have(Neighbour const& neighbour, ChunkId const& chunk);

    Options options_;
    std::map<NeighbourId, Neighbour> neighbours_;
    Bans bans_;
    std::optional<PeerEndpoint> source_;
    std::deque<PeerEndpoint> expected_; // the latest last
    NeighbourId last_receiver_;
};

/// Adds a chunk to ranges of one rendition that are in order, and joins those that it connects.
void add_held(std::vector<ChannelHandshake::HeldRange>& held, ChunkId const& chunk);

} // namespace minuteswarm
