#pragma once

#include "edge/admission.hpp"
#include "edge/adverts.hpp"
#include "edge/catch_up.hpp"
#include "edge/children.hpp"
#include "edge/edge_node.hpp"
#include "edge/group_window.hpp"
#include "edge/homes.hpp"
#include "edge/links.hpp"
#include "edge/parents.hpp"
#include "edge/repair.hpp"

#include <random>
#include <span>
#include <vector>

namespace minuteswarm {

/// Who sends which stripe of the live edge to whom, as one node decides it: source, viewer or
/// relay. Pure: time and randomness are parameters; after every call, do what `take_actions` says.
class Subscriptions {
public:
    /// `random` outlives the object.
    Subscriptions(SubscriptionOptions options, std::mt19937_64& random, MonotonicTime start);
    Subscriptions(Subscriptions const&) = delete;
    Subscriptions& operator=(Subscriptions const&) = delete;

    void enter(NeighbourId id, EdgeNeighbour const& neighbour, MonotonicTime now);
    void leave(NeighbourId id, MonotonicTime now);
    void on_message(NeighbourId from, SubscriptionMessage const& message, MonotonicTime now);

    /// A verified block came, whoever sent it; false: it was here already. The source says so of
    /// its own blocks, `from` being any number.
    bool on_block(BlockArrival const& block, MonotonicTime now);
    /// A group begins with a random access point.
    void note_entry(GroupNumber group) { node_.note_entry(group); }
    /// The group from which on this node asked for blocks when it came.
    [[nodiscard]] std::optional<GroupNumber> start() const { return parents_.start(); }
    /// See Parents::starts_near.
    [[nodiscard]] bool starts_near() const { return parents_.starts_near(); }
    /// K blocks of it are here.
    void on_rebuilt(GroupNumber group, MonotonicTime now);
    /// A neighbour does not send blocks of the group that it was asked for.
    void on_missing(NeighbourId from, GroupNumber group, MonotonicTime now);
    /// How long the uplink needs for what waits to be sent.
    void on_uplink(Duration queue) { node_.queue = queue; }
    /// As many as the uplink carries by what is known of it; what was given up, or measured, stays.
    void set_slots(std::size_t slots);
    void tick(MonotonicTime now);
    /// Until the next `tick`.
    [[nodiscard]] Duration tick_period() const;

    [[nodiscard]] std::vector<EdgeAction> take_actions() {
        return std::exchange(node_.actions, {});
    }

    /// Whom a new block of this stripe goes to, in this order.
    [[nodiscard]] std::span<Child const> children(StripeIndex stripe) const {
        return children_.of(stripe);
    }
    [[nodiscard]] bool pushes(StripeIndex stripe, NeighbourId to) const {
        return children_.is_child(to, stripe);
    }
    /// What a block carries from here on, however it came.
    [[nodiscard]] NodePath path(StripeIndex stripe) const { return parents_.path(stripe); }
    /// Whether blocks from this neighbour are expected, apart from answers to a want.
    [[nodiscard]] bool is_parent(NeighbourId id, StripeIndex stripe) const {
        return parents_.may_send(id, stripe);
    }
    /// Whether to answer a `want`: the source does not, nor a node that is behind with new blocks,
    /// nor one whose uplink has `repairs` to send already: who asks would not wait for so long.
    [[nodiscard]] bool answers_wants(Duration repairs) const;
    /// The stream has gone on after an outage, and what that held up has not all left: blocks are
    /// to leave in the order of their groups.
    [[nodiscard]] bool is_making_up() const { return node_.is_making_up; }
    /// A block of that age comes so late that its sender was catching up: new ones go first, but
    /// after an outage.
    [[nodiscard]] bool is_late(StripeIndex stripe, Duration age) const;
    /// A block of that age, which a child asked for: whether others wait with it.
    [[nodiscard]] bool is_urgent(StartPush const& push, Duration age) const;
    /// The live edge is left to others for now; chunks come from their swarms.
    [[nodiscard]] bool is_stepped_back() const { return node_.is_stepped_back; }
    /// K + M.
    [[nodiscard]] std::uint8_t stripes() const { return node_.options.total(); }
    [[nodiscard]] StripeMask flowing() const { return node_.flowing; }
    [[nodiscard]] StripeMask homes() const { return node_.homes; }
    /// Of a neighbour, as it says.
    [[nodiscard]] StripeMask homes_of(NeighbourId id) const {
        auto const* neighbour = node_.find(id);
        return neighbour ? neighbour->homes : 0;
    }
    [[nodiscard]] StripeMask flowing_of(NeighbourId id) const {
        auto const* neighbour = node_.find(id);
        return neighbour ? neighbour->flowing : 0;
    }
    [[nodiscard]] std::size_t slots() const { return node_.slots; }
    [[nodiscard]] std::size_t used_slots() const { return children_.used(); }
    [[nodiscard]] std::size_t preempted() const { return children_.preempted(); }
    [[nodiscard]] LinkRoom link_room() const {
        return minuteswarm::link_room(node_.options, node_.slots);
    }
    [[nodiscard]] std::size_t neighbours() const { return node_.neighbours.size(); }
    [[nodiscard]] Parents const& parents() const { return parents_; }
    std::vector<Duration> take_reattached() { return parents_.take_reattached(); }

private:
    EdgeNode node_;
    GroupWindow groups_;
    Parents parents_;
    Children children_;
    Homes homes_;
    Links links_;
    Adverts adverts_;
    Admission admission_;
    CatchUp catch_up_;
    Repair repair_;
};

} // namespace minuteswarm
