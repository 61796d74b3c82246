#pragma once

#include "edge/edge_node.hpp"
#include "edge/group_window.hpp"

#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// A verified block as it came.
struct BlockArrival {
    NeighbourId from;
    StripeIndex stripe;
    GroupNumber group;
    NodePath path; ///< the source first, `from` last
    Duration age{};
};

/// The receiving side: for every stripe, from whom it comes, whom to ask for it, when to leave.
class Parents {
public:
    Parents(EdgeNode& node, GroupWindow const& groups, MonotonicTime start);

    void on_accept(NeighbourId from, AcceptMessage const& message, MonotonicTime now);
    void on_reject(NeighbourId from, RejectMessage const& message, MonotonicTime now);
    void on_preempt(NeighbourId from, PreemptMessage const& message, MonotonicTime now);
    void on_block(BlockArrival const& block, MonotonicTime now);
    void on_entered(NeighbourId id, MonotonicTime now);
    void on_left(NeighbourId id, MonotonicTime now);
    void tick(MonotonicTime now);

    [[nodiscard]] bool is_rooted(StripeIndex stripe) const;
    [[nodiscard]] bool is_flowing(StripeIndex stripe, MonotonicTime now) const;
    /// Of the blocks this node sends: its parent's path and itself, or itself alone.
    [[nodiscard]] NodePath path(StripeIndex stripe) const;
    [[nodiscard]] Duration age(StripeIndex stripe) const { return feeds_[stripe.value].age; }
    [[nodiscard]] GroupNumber newest(StripeIndex stripe) const {
        return feeds_[stripe.value].newest;
    }
    [[nodiscard]] std::optional<NeighbourId> parent(StripeIndex stripe) const {
        return feeds_[stripe.value].parent;
    }
    /// See Subscriptions.
    [[nodiscard]] std::optional<GroupNumber> start() const { return start_; }
    /// That is nearer than was wished for, since hardly anybody has uplink to spare.
    [[nodiscard]] bool starts_near() const { return starts_near_; }
    /// The same while the blocks from there on are still being asked for.
    [[nodiscard]] std::optional<GroupNumber> starting_from(MonotonicTime now) const {
        return now < start_until_ ? start_ : std::nullopt;
    }
    /// Whose place this node took at the stripe's parent; 0: nobody's.
    [[nodiscard]] NodeId displaced(StripeIndex stripe) const {
        return feeds_[stripe.value].displaced;
    }
    /// Is or may become the stripe's parent.
    [[nodiscard]] bool is_above(NeighbourId id, StripeIndex stripe) const;
    /// Or was it until now, and is still to bring what it was asked for.
    [[nodiscard]] bool may_send(NeighbourId id, StripeIndex stripe) const;
    [[nodiscard]] bool is_any_parent(NeighbourId id) const;
    /// Whether a stripe has no parent that this node or its children cannot do without.
    [[nodiscard]] bool lacks_urgently() const;
    /// Whether a home stripe has had no parent for a while: its next root may be this node.
    [[nodiscard]] bool has_homeless_home(MonotonicTime now) const;
    /// For how long the longest search has found nobody to ask.
    [[nodiscard]] Duration without_candidate(MonotonicTime now) const;
    /// For how long a stripe that is missed has had no parent, whoever was asked.
    [[nodiscard]] Duration without_parent(MonotonicTime now) const;
    /// How long stripes had no parent that were missed and found a new one since the last call.
    std::vector<Duration> take_reattached() { return std::exchange(reattached_, {}); }

private:
    /// How a stripe comes here.
    struct Feed {
        std::optional<NeighbourId> parent;
        MonotonicTime accepted{};
        MonotonicTime last_block{};
        bool has_block = false;
        GroupNumber newest;
        GroupNumber live_from; ///< what is before it came late for a reason
        NodePath path;
        Duration age{};
        std::optional<MonotonicTime> unrooted_since;
        Duration unrooted_patience{};
        std::optional<MonotonicTime> stalled_since; ///< the parent lives and brings nothing
        bool needs_another = false; ///< the parent is kept until another one is found

        std::optional<NeighbourId> asked;
        MonotonicTime asked_until{};

        std::optional<NeighbourId> former; ///< still sends until the new one does
        MonotonicTime former_until{};      ///< at least
        NodePath former_path;
        GroupNumber former_newest;
        MonotonicTime former_at{};                      ///< when that came
        std::optional<MonotonicTime> former_last_block; ///< of one that had stalled

        MonotonicTime orphan_since{};
        MonotonicTime luxury_until{}; ///< nobody missed it before
        MonotonicTime retry_at{};
        bool had_parent = false;
        std::optional<MonotonicTime> no_candidate_since;
        NodeId displaced; ///< had this place at the parent; may become a child; 0: none
        NodeId successor; ///< took this node's place and will take it as a child; 0: none
        MonotonicTime successor_until{};
    };

    struct Search {
        bool is_desperate = false;
        bool is_switch = false;
        bool may_preempt = true;
    };
    struct Candidate {
        NeighbourId id;
        double cost = 0;
    };

    [[nodiscard]] bool wants(StripeIndex stripe) const;
    [[nodiscard]] bool is_mere_luxury(StripeIndex stripe) const;
    void refresh(MonotonicTime now);
    [[nodiscard]] bool awaits_adoption(Feed const& feed, MonotonicTime now) const;
    bool ask_successor(StripeIndex stripe, MonotonicTime now);
    [[nodiscard]] bool leads_to_source(NodePath const& path) const;
    void note_age(Feed& feed, Acquaintance& parent, BlockArrival const& block, MonotonicTime now);
    void leave(StripeIndex stripe, Duration back_off, MonotonicTime now);
    void orphan(StripeIndex stripe, MonotonicTime now);
    void fail(NeighbourId id, StripeIndex stripe, MonotonicTime now);
    void note_lost(NeighbourId id, MonotonicTime now);
    [[nodiscard]] bool leads_through_lost(NodePath const& path, MonotonicTime now) const;
    void stop_former(Feed& feed, StripeIndex stripe);
    [[nodiscard]] bool awaits_rest(Feed const& feed, StripeIndex stripe, MonotonicTime now) const;
    void check_asked(StripeIndex stripe, MonotonicTime now);
    void check_parent(StripeIndex stripe, MonotonicTime now);
    [[nodiscard]] Duration silence(Feed const& feed, MonotonicTime now) const;
    [[nodiscard]] bool is_suspect(Feed const& feed, MonotonicTime now) const;
    [[nodiscard]] bool is_dead(NeighbourId id, MonotonicTime now) const;
    [[nodiscard]] bool is_stalled(Feed const& feed, MonotonicTime now) const;
    [[nodiscard]] bool may_recover(Feed const& feed, MonotonicTime now) const;
    [[nodiscard]] bool brought_little(Feed const& feed, MonotonicTime now) const;
    void blame_parent(Feed const& feed, MonotonicTime now);
    [[nodiscard]] bool others_advance(Feed const& feed, MonotonicTime now) const;

    // parent_search.cpp
    void search(StripeIndex stripe, MonotonicTime now);
    /// A free slot at the source is for homes, whatever they have.
    void take_root(StripeIndex stripe, MonotonicTime now);
    void consider_switch(MonotonicTime now);
    [[nodiscard]] std::optional<Candidate>
    best_candidate(StripeIndex stripe, Search const& search, MonotonicTime now);
    [[nodiscard]] bool is_candidate(
        Acquaintance const& neighbour, StripeIndex stripe, Search const& search, MonotonicTime now
    ) const;
    [[nodiscard]] double sending_cost(Acquaintance const& neighbour) const;
    [[nodiscard]] double cost(NeighbourId of, StripeIndex stripe, MonotonicTime now) const;
    [[nodiscard]] double shared_cost(NeighbourId of, StripeIndex stripe) const;
    [[nodiscard]] SubscribeMessage request(StripeIndex stripe, Search const& search) const;
    void add_range(SubscribeMessage& request, Acquaintance const& to, MonotonicTime now);
    [[nodiscard]] GroupNumber newest_by(Acquaintance const& to, MonotonicTime now) const;
    [[nodiscard]] GroupNumber
    choose_start(Acquaintance const& to, Duration distance_back, MonotonicTime now) const;
    [[nodiscard]] GroupNumber choose_near_start(Acquaintance const& to, MonotonicTime now) const;
    [[nodiscard]] bool brings_all(Acquaintance const& to, GroupNumber first) const;
    void set_start(Acquaintance const& to, MonotonicTime now);
    void ask(NeighbourId id, StripeIndex stripe, SubscribeMessage request, MonotonicTime now);

    EdgeNode& node_;
    GroupWindow const& groups_;
    std::vector<Feed> feeds_;
    StripeMask suspect_ = 0; ///< stripes that seem to have stopped
    MonotonicTime next_switch_;
    std::optional<GroupNumber> start_;
    bool starts_near_ = false;
    MonotonicTime start_until_{}; ///< stripes that are found before are asked from there on
    std::vector<std::pair<NodeId, MonotonicTime>> lost_; ///< parents that went, with when
    std::vector<Duration> reattached_;
};

} // namespace minuteswarm
