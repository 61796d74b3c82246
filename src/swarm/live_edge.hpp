#pragma once

#include "base/delay_histogram.hpp"
#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "edge/back_buffer.hpp"
#include "edge/parity_code.hpp"
#include "edge/subscriptions.hpp"
#include "edge/uplink_budget.hpp"
#include "swarm/backlog.hpp"
#include "swarm/edge_queue.hpp"
#include "swarm/messages.hpp"
#include "swarm/neighbourhood.hpp"
#include "swarm/seal_checks.hpp"
#include "swarm/token_bucket.hpp"

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

namespace minuteswarm {

/// The live edge of one run, at its source, a viewer or a relay: takes genuine blocks from parents,
/// passes them on to children, and does what the policy (`Subscriptions`) wants. Loop-only.
class LiveEdge {
public:
    struct Options {
        ChannelId channel;
        EventId event;
        RenditionId rendition;
        EdgeParameters parameters;
        std::uint64_t bitrate = 0; ///< of the stream, bits per second; 0: not known
        SessionId session;
        bool is_source = false;
        std::uint64_t uplink = 0; ///< bits per second; 0: not known
        Duration start_back{};    ///< how far behind the newest group to begin
    };
    struct Neighbour {
        SessionId session;
        PeerEndpoint endpoint;
        bool is_source = false;
        bool is_directed = false; ///< this node connected to it for its homes
        Duration delay{};         ///< half the round trip
    };
    /// What the connections do for it, and whom it tells.
    struct Events {
        std::function<void(NeighbourId, Bytes const&)> send;
        std::function<std::size_t(NeighbourId)> unsent; ///< bytes that wait in the connection
        std::function<void(NeighbourId)> strike;
        std::function<void(NeighbourId)> close;
        /// Connect to a peer for its homes; to any peer if it has no address.
        std::function<void(StripeMask homes, PeerEndpoint const&)> open;
        /// Where the source was, if it ever was a neighbour.
        std::function<std::optional<PeerEndpoint>()> source;
        /// Genuine bytes that were not there before, and what their group's header says.
        std::function<void(GroupHeader const&, std::vector<EdgeBytes> const&)> on_bytes;
    };

    LiveEdge(EventLoop& loop, Options options, Events events);

    /// A neighbour that takes part in the live edge.
    void enter(NeighbourId id, Neighbour const& neighbour);
    void leave(NeighbourId id);
    /// Whether blocks may come from it at all.
    [[nodiscard]] bool is_neighbour(NeighbourId id) const { return peers_.contains(id); }
    void on_message(NeighbourId from, SubscriptionEnvelope const& envelope);
    void on_block(NeighbourId from, BlockMessage const& message);
    /// Blocks that are here and that the uplink has room for; `missing` tells of the others.
    void on_want(NeighbourId from, StripeList const& list);
    void on_missing(NeighbourId from, StripeList const& list);

    /// Little of a known uplink is left, as all slots are used.
    [[nodiscard]] bool is_busy() const;
    /// Bits per second of a known uplink that chunk torrents may use now.
    [[nodiscard]] std::uint64_t left_for_chunks() const;
    /// Bytes that have left this node since it was told last, for whatever purpose: what is not the
    /// edge's comes off its pace, up to a second of it, so that the uplink bounds all of it.
    void note_upload(std::uint64_t bytes);

    /// So much came in one message, of whatever kind: it is acknowledged. All messages together
    /// count for a third of the uplink at most: who sends many small ones costs less than that.
    void note_message(std::size_t bytes);

    /// The source's next group: signs it and sends it off.
    void publish(Group const& group, ChannelKey const& key);
    void stop();

    struct Counters {
        std::uint64_t blocks = 0;
        std::uint64_t duplicates = 0;
        std::uint64_t unexpected = 0; ///< from neighbours that were not asked
        std::uint64_t forged = 0;
        std::uint64_t groups = 0;
        std::uint64_t recovered = 0;    ///< groups that needed parity
        std::uint64_t wanted = 0;       ///< blocks asked for one by one
        std::uint64_t data_bytes = 0;   ///< of new blocks' payloads
        std::uint64_t parity_bytes = 0; ///< the same, of parity stripes
    };
    [[nodiscard]] Counters const& counters() const { return counters_; }
    /// How long stripes had no parent when they had lost one.
    [[nodiscard]] DelayHistogram const& reattached() const { return reattached_; }
    [[nodiscard]] Subscriptions const& policy() const { return policy_; }
    [[nodiscard]] BackBuffer const& back_buffer() const { return back_buffer_; }
    [[nodiscard]] StripeMask homes_of(NeighbourId id) const;
    /// Which a neighbour sends here, and which it gets.
    [[nodiscard]] StripeMask stripes_from(NeighbourId id) const;
    [[nodiscard]] StripeMask stripes_to(NeighbourId id) const;
    /// Who gets a stripe from this node, and who from another, as these say.
    [[nodiscard]] Neighbourhood::Tree tree(StripeIndex stripe) const;
    [[nodiscard]] EventId event() const { return options_.event; }
    [[nodiscard]] EdgeParameters const& parameters() const { return options_.parameters; }
    [[nodiscard]] RunId const& run() const { return options_.parameters.run; }
    [[nodiscard]] GroupNumber newest_group() const;
    [[nodiscard]] bool is_source() const { return options_.is_source; }
    /// K + M.
    [[nodiscard]] std::uint8_t stripes() const {
        return static_cast<std::uint8_t>(options_.parameters.stripes + options_.parameters.parity);
    }
    /// Whether enough stripes come to rebuild every group.
    [[nodiscard]] bool is_fed() const;

private:
    struct Peer {
        Neighbour neighbour;
        NodeId node;
        bool is_heard = false;
        EdgeQueue queue;
        TokenBucket requests;   ///< subscribes and wants it may send
        TokenBucket unexpected; ///< blocks nobody asked it for
        TokenBucket useless;    ///< blocks asked for that are here or over
        TokenBucket repeats;    ///< blocks it may be sent for catch-up and wants
        std::map<StripeIndex, MonotonicTime> expected_until;
        MonotonicTime pushed_at{}; ///< a block into its queue, the last one
    };

    void introduce(NeighbourId id, Peer& peer);
    [[nodiscard]] bool is_expected(NeighbourId from, Peer& peer, Block const& block);
    /// Whether it was asked of this neighbour, not long ago.
    [[nodiscard]] bool is_wanted(NeighbourId from, Block const& block, MonotonicTime now) const;
    bool forgive(NeighbourId from, TokenBucket Peer::*allowance);
    [[nodiscard]] BlockScope scope() const;
    void offer(NeighbourId from, Block block, std::optional<GenuineSeal> const& checked = {});
    void on_checked(std::vector<SealChecks::Entry> entries);
    bool note_copy(Block const& block);
    void count_payload(Block const& block);
    void take(NeighbourId from, Block const& as_received, BackBuffer::Added const& added);
    void forward(GroupNumber group, StripeIndex stripe);
    [[nodiscard]] std::optional<Block> held(GroupNumber group, StripeIndex stripe) const;
    [[nodiscard]] Bytes frame_of(Block block) const;
    void push(NeighbourId to, EdgeQueue::Class urgency, Block const& block);
    /// Whether a block that others have had may be sent to this one as well; counts it if so.
    bool may_repeat(NeighbourId to, Block const& block);
    void send(NeighbourId to, Peer& peer, Bytes message);

    using Wanted = std::map<GroupNumber, StripeMask>;

    void act();
    void want(NeighbourId from, Wanted const& blocks);
    void run(SendSubscription const& action);
    void run(StartPush const& action);
    void run(StopPush const& action);
    void run(OpenLink const& action);
    void run(CloseLink const& action);
    void run(RegenerateBlocks const& action);

    void tick();
    void schedule_tick();
    void flush();
    bool send_next_block(MonotonicTime now);
    [[nodiscard]] Backlog backlog() const;
    [[nodiscard]] Duration uplink_queue() const;
    void update_slots();
    void pace(std::size_t bytes, MonotonicTime now);
    void spend_beside(std::size_t bytes);

    EventLoop& loop_;
    Options options_;
    Events events_;
    std::mt19937_64 random_;
    ParityCode code_;
    UplinkBudget budget_;
    TokenBucket repeats_; ///< bytes of catch-up and answers to wants
    BackBuffer back_buffer_;
    SealChecks seal_checks_;
    Subscriptions policy_;
    std::optional<TokenBucket> pacer_; ///< none while the uplink is not known
    TokenBucket acknowledgements_;     ///< bytes of it that what comes may take
    double unpaced_ = 0; ///< bytes that left less those paced; negative: these have yet to leave
    std::map<NeighbourId, Peer> peers_;
    /// When it was asked for. Several may have been asked for the same, and answer late.
    std::map<std::tuple<GroupNumber, StripeIndex, NeighbourId>, MonotonicTime> wanted_;
    std::size_t slots_ = 0; ///< as the policy was told
    Counters counters_;
    DelayHistogram reattached_;
    Timer tick_timer_;
    Timer flush_timer_;
    bool is_flush_due_ = false;
    bool stopped_ = false;
};

/// The node of a session that is not the source's.
NodeId node_of(SessionId const& session);

} // namespace minuteswarm
