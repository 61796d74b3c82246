#pragma once

#include "simulation/event_queue.hpp"
#include "simulation/network.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <unordered_map>
#include <vector>

namespace minuteswarm::simulation {

/// What a host of the tree has told of itself.
struct RelayHost {
    NodeIndex node = 0;
    bool has_room = false;
    std::uint8_t hops = 0; ///< from who keeps it
    std::size_t relays = 0;
    MonotonicTime heard{};
};

/// Hosts that a node knows of. Who has not been heard of for three minutes is passed over.
class RelayHosts {
public:
    void put(RelayHost const& host);
    void remove(NodeIndex node);
    [[nodiscard]] RelayHost const* find(NodeIndex node) const;
    [[nodiscard]] std::vector<RelayHost> const& all() const { return hosts_; }

private:
    std::vector<RelayHost> hosts_;
    std::unordered_map<NodeIndex, std::size_t> places_;
};

/// A child and what waits for it: each has its own TCP connection, and they share the uplink.
struct RelayChild {
    NodeIndex node = 0;
    Uplink queue;
};

struct TreeNode : Viewer {
    bool leaves_silently = false;
    std::optional<NodeIndex> parent;
    std::vector<RelayChild> children;
    std::size_t turn = 0;                       ///< the child that may send next
    RelayHosts below;                           ///< what reports have passed here
    RelayHosts named;                           ///< where it may ask
    std::map<NodeIndex, MonotonicTime> ignored; ///< not asked until then
    std::map<NodeIndex, MonotonicTime> banned;  ///< were dismissed, and not taken until then
    std::uint64_t attempt = 0;                  ///< an answer to an earlier one is none
    std::optional<MonotonicTime> orphan_since;
    MonotonicTime fed{};
    bool is_sending = false;
    Duration block_time{};
    std::vector<StripeMask> held;            ///< by group
    std::optional<std::uint64_t> next_block; ///< after the newest, counted over all groups
    std::size_t hops = 0;
};

/// A single relay tree under a simulated clock, as PeerCast builds it, for comparison: its
/// algorithm as published in source, not its program. Node 0 is the source and the "tracker" that
/// the link names. The reading is of PeerCastStation (github.com/kumaryu/peercaststation at
/// c519eec3, PCPSourceStream.cs, PCPOutputStream.cs, Channel.cs), the retry at the tracker of
/// peercast-yt (github.com/plonk/peercast-yt at b60f1763, servmgr.h); constants stand in the
/// source file with what they are there.
///
/// A child gets the whole stream over one connection. A node relays as many copies as its uplink
/// has whole bitrates. When full it dismisses a child that is full itself and relays to nobody,
/// else it refuses and names up to eight hosts of those below it: first those with room, then
/// those of few hops. Who is refused asks these, in an order drawn by the same preferences, and
/// whoever they name. Hosts tell all above them of a change, and every two minutes. Whose parent
/// goes asks the hosts that it was named, then the tracker; its children stay with it and wait. No
/// parity, no stripes, no repair but what a new parent has of the last three seconds.
///
/// In the tree's favour: copies fill the uplink to the last bit, nothing of it is spent on headers
/// or control; nobody is taken below himself (PeerCast notices a circle when its own report comes
/// back); whom nobody wants asks the tracker again after ten seconds (PeerCastStation gives up).
class RelayTree {
public:
    explicit RelayTree(ModelOptions options);

    NodeIndex join(PeerOptions const& options);
    void join_at(MonotonicTime time, PeerOptions const& options);
    /// `is_silent`: nobody is told.
    void kill(NodeIndex node, bool is_silent);
    void run_until(MonotonicTime time) { events_.run_until(time); }
    void at(MonotonicTime time, std::function<void()> action) {
        events_.at(time, std::move(action));
    }

    [[nodiscard]] MonotonicTime now() const { return events_.now(); }
    [[nodiscard]] ModelOptions const& options() const { return options_; }
    [[nodiscard]] std::vector<TreeNode> const& nodes() const { return nodes_; }
    [[nodiscard]] std::vector<NodeIndex> const& alive() const { return alive_; }
    [[nodiscard]] TreeNode const& node(NodeIndex index) const { return nodes_[index]; }
    [[nodiscard]] std::uint64_t groups() const { return next_group_; }
    [[nodiscard]] MonotonicTime group_time(std::uint64_t group) const {
        return simulation::group_time(options_, group);
    }
    /// Whole copies of the stream that its uplink carries, as it believes.
    [[nodiscard]] static std::size_t copies(TreeNode const& node);
    [[nodiscard]] bool is_child(NodeIndex node, NodeIndex parent) const;
    [[nodiscard]] double block_bytes() const { return payload_bytes(options_); }
    [[nodiscard]] Counts const& counts() const { return counts_; }
    void reset_counts() { counts_ = {}; }
    /// Children dismissed for others.
    [[nodiscard]] std::size_t preempted() const { return dismissed_; }
    /// Of all copies that uplinks carry, those that are sent.
    [[nodiscard]] double slot_use() const;

private:
    [[nodiscard]] Duration delay(NodeIndex a, NodeIndex b) const;
    void count_message(std::size_t bytes, std::size_t packets);
    void search(NodeIndex node);
    [[nodiscard]] std::optional<NodeIndex> choose(NodeIndex node);
    void ask(NodeIndex node, NodeIndex whom);
    void answer(NodeIndex node, NodeIndex asker, std::uint64_t attempt);
    [[nodiscard]] bool makes_room(NodeIndex node);
    [[nodiscard]] std::vector<RelayHost> best_hosts(NodeIndex node, NodeIndex asker);
    [[nodiscard]] bool is_below(NodeIndex node, NodeIndex above) const;
    void attach(NodeIndex node, NodeIndex parent);
    void lose_parent(NodeIndex node);
    void remove_child(NodeIndex node, NodeIndex child);
    void dismiss(NodeIndex node, NodeIndex child);
    void watch(NodeIndex node, std::uint64_t attempt);
    void report(NodeIndex node);
    void pass_report(NodeIndex from, RelayHost host);
    void report_again(NodeIndex node, std::uint64_t attempt);

    void emit();
    void catch_up(NodeIndex node, RelayChild& child);
    void forward(NodeIndex node, Block const& block);
    void send(NodeIndex node, RelayChild& child, Block const& block);
    void send_next(NodeIndex node);
    void take(NodeIndex node, NodeIndex from, Block const& block);

    ModelOptions options_;
    std::mt19937_64 random_;
    EventQueue events_;
    std::vector<TreeNode> nodes_;
    std::vector<NodeIndex> alive_;
    std::uint64_t next_group_ = 0;
    std::size_t dismissed_ = 0;
    Counts counts_;
};

} // namespace minuteswarm::simulation
