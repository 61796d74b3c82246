#pragma once

#include "edge/edge_node.hpp"
#include "edge/parents.hpp"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// A neighbour that a stripe is pushed to.
struct Child {
    NeighbourId id;
    SubscribeMessage request;
    MonotonicTime accepted{};
    std::optional<MonotonicTime> leaving_at; ///< has lost its slot, gets blocks until then
};

/// The sending side: who gets the uplink's slots, who has to give one back. At most
/// EdgeNode::slots children and limits::edge_leaving_children that leave.
class Children {
public:
    Children(EdgeNode& node, Parents const& parents);

    void on_subscribe(NeighbourId from, SubscribeMessage const& message, MonotonicTime now);
    void on_unsubscribe(NeighbourId from, UnsubscribeMessage const& message, MonotonicTime now);
    void on_left(NeighbourId id, MonotonicTime now);
    void tick(MonotonicTime now);
    /// The source has sent a whole group.
    void on_sent(GroupNumber group, MonotonicTime now);
    /// Gives up all children of these stripes; they are told, and fed for as long as blocks come.
    void drop(StripeMask stripes, MonotonicTime now);

    /// In the order in which a block is to be sent.
    [[nodiscard]] std::span<Child const> of(StripeIndex stripe) const {
        return children_[stripe.value];
    }
    [[nodiscard]] bool is_child(NeighbourId id, StripeIndex stripe) const;
    [[nodiscard]] bool is_any_child(NeighbourId id) const;
    /// Children that have a slot.
    [[nodiscard]] std::size_t used() const { return used_; }
    /// The lowest class that would be accepted; StripeAdvert::nobody if none.
    [[nodiscard]] std::uint8_t need(StripeIndex stripe, MonotonicTime now) const;
    [[nodiscard]] std::size_t preempted() const { return preempted_; }

private:
    /// What a slot beyond a share of the source's counts less than others.
    static constexpr int over_share = -(child_class::home + 1);
    struct Victim {
        NeighbourId id;
        StripeIndex stripe;
        int rank = 0; ///< a request must be of a higher class; negative: beyond its share
        MonotonicTime accepted{};
    };

    [[nodiscard]] std::optional<RejectMessage::Reason>
    refusal(NeighbourId from, StripeIndex stripe, MonotonicTime now) const;
    [[nodiscard]] bool at_home(StripeIndex stripe) const;
    [[nodiscard]] std::uint8_t
    request_class(Acquaintance const& from, SubscribeMessage const& request, MonotonicTime) const;
    [[nodiscard]] std::uint8_t
    child_class_of(Child const& child, StripeIndex stripe, MonotonicTime now) const;
    [[nodiscard]] bool has_free_slot(StripeIndex stripe) const;
    [[nodiscard]] bool may_preempt() const;
    /// Of those that `may_go`.
    [[nodiscard]] std::optional<Victim> weakest(
        StripeIndex stripe, MonotonicTime now, std::function<bool(Victim const&)> const& may_go
    ) const;
    /// Beyond its share, but others wait for what it gets, as it says: homes pass it on.
    [[nodiscard]] static bool goes_to_homes_alone(Victim const& victim) {
        return victim.rank < 0 && victim.rank >= child_class::relay + over_share;
    }
    [[nodiscard]] bool
    may_take_of(Victim const& victim, NeighbourId from, SubscribeMessage const& message) const;
    void accept(
        NeighbourId from,
        SubscribeMessage const& request,
        NodeId preempted,
        MonotonicTime since,
        MonotonicTime now
    );
    /// Since when it had a slot for it, if it had.
    std::optional<MonotonicTime> remove(NeighbourId id, StripeIndex stripe);
    void set_leaving(Victim const& victim, NodeId successor, MonotonicTime now);
    void stop_leaving(MonotonicTime now);
    [[nodiscard]] bool may_grow() const;
    void shed(MonotonicTime now);
    void let_go(std::size_t kept);
    void recount();

    // source_slots.cpp: what only the source minds
    [[nodiscard]] bool source_has_free_slot(StripeIndex stripe) const;
    [[nodiscard]] int source_rank(
        Child const& child, StripeIndex stripe, StripeIndex wanted, MonotonicTime now
    ) const;
    [[nodiscard]] Duration spans(int number) const;
    [[nodiscard]] std::size_t quota() const;
    [[nodiscard]] std::size_t staying(StripeIndex stripe) const;
    /// Of the source's slots, for one neighbour while others wait.
    [[nodiscard]] std::size_t source_share() const;
    [[nodiscard]] std::size_t slots_of(NeighbourId id) const;
    void watch_source_children(MonotonicTime now);
    void note_rotation(Child const& victim, StripeIndex stripe, MonotonicTime now);
    [[nodiscard]] bool
    is_reserved(NeighbourId from, SubscribeMessage const& request, MonotonicTime now) const;
    [[nodiscard]] bool
    brings_nothing(Child const& root, StripeIndex stripe, MonotonicTime now) const;
    void drop_silent(MonotonicTime now);
    void drop_loops(MonotonicTime now);
    void dismiss(NeighbourId id, StripeIndex stripe, MonotonicTime now);
    void lose(NeighbourId id, StripeIndex stripe, MonotonicTime now);
    [[nodiscard]] bool is_heard(Child const& child, MonotonicTime now) const;
    [[nodiscard]] bool is_beginning(GroupNumber group) const;
    [[nodiscard]] bool had_outage(GroupNumber since, MonotonicTime now) const;
    void note_repeated(SubscribeMessage const& request);
    void unmake(StripeIndex stripe);
    void watch_making_up(MonotonicTime now);
    void push_unsent(NeighbourId to, SubscribeMessage const& request, MonotonicTime now);

    EdgeNode& node_;
    Parents const& parents_;
    std::vector<std::vector<Child>> children_;
    std::size_t used_ = 0;
    std::size_t leaving_ = 0;
    std::size_t preempted_ = 0;
    int slow_ticks_ = 0;
    MonotonicTime grown_{};  ///< or had no reason to
    bool has_grown_ = false; ///< since slots were last given up
    Duration growth_pause_ = std::chrono::seconds{15};

    /// Source: which stripes of a group went to somebody who is still there.
    struct Sent {
        GroupNumber group;
        StripeMask stripes = 0;
        MonotonicTime time{};
        /// Stripes of it that may still wait while an outage is made up for.
        StripeMask made_up = 0;
        StripeMask lost = 0; ///< with whom they were sent to
    };
    std::vector<Sent> sent_;
    std::optional<MonotonicTime> all_lost_at_; ///< source: every child fell silent or went
    bool others_wait_ = false;   ///< source: somebody without a slot here finds too few stripes
    StripeMask undelivered_ = 0; ///< source: stripes that half of all lack
    StripeMask seldom_delivered_ = 0; ///< source: these, and that half of all have lacked of late
    MonotonicTime watched_{};
    std::vector<MonotonicTime> rotated_;
    std::vector<std::optional<MonotonicTime>> vacant_since_; ///< source: by stripe
    StripeMask ever_rooted_ = 0;                             ///< source: stripes once sent
};

} // namespace minuteswarm
