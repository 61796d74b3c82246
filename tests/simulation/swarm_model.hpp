#pragma once

#include "edge/subscriptions.hpp"
#include "simulation/event_queue.hpp"
#include "simulation/network.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace minuteswarm::simulation {

/// A node: the policy under test, and what happens to it.
struct ModelNode : Viewer {
    bool is_sending = false;
    std::unique_ptr<Subscriptions> policy;
    std::map<NodeIndex, Duration> links;
    Uplink uplink;
    MonotonicTime sending_until{};
    std::vector<StripeMask> held;     ///< by group; all of it once it is rebuilt
    std::vector<StripeMask> received; ///< by group
    std::vector<Duration> ages;       ///< of the groups' first blocks when they came
    std::vector<SharedPath> paths;    ///< what it sends, by stripe: shared by its blocks
};

/// A swarm under a simulated clock: real policies, imagined network and blocks. Node 0 is the
/// source.
class SwarmModel {
public:
    explicit SwarmModel(ModelOptions options);

    NodeIndex join(PeerOptions const& options);
    void join_at(MonotonicTime time, PeerOptions const& options);
    /// `is_silent`: nobody is told.
    void kill(NodeIndex node, bool is_silent);
    /// Changes what the uplink carries, not what the peer believes.
    void throttle(NodeIndex node, double uplink);
    void run_until(MonotonicTime time) { events_.run_until(time); }
    void run_for(Duration time) { events_.run_until(now() + time); }
    void at(MonotonicTime time, std::function<void()> action) {
        events_.at(time, std::move(action));
    }
    void connect(NodeIndex from, NodeIndex to, bool is_directed);

    [[nodiscard]] MonotonicTime now() const { return events_.now(); }
    [[nodiscard]] ModelOptions const& options() const { return options_; }
    [[nodiscard]] std::vector<ModelNode> const& nodes() const { return nodes_; }
    [[nodiscard]] std::vector<NodeIndex> const& alive() const { return alive_; }
    [[nodiscard]] ModelNode const& node(NodeIndex index) const { return nodes_[index]; }
    [[nodiscard]] double block_bytes() const { return simulation::block_bytes(options_); }
    [[nodiscard]] MonotonicTime group_time(std::uint64_t group) const {
        return simulation::group_time(options_, group);
    }
    [[nodiscard]] std::uint64_t groups() const { return next_group_; }
    [[nodiscard]] std::uint64_t handled() const { return events_.handled(); }
    [[nodiscard]] Counts const& counts() const { return counts_; }
    void reset_counts() { counts_ = {}; }
    [[nodiscard]] std::size_t preempted() const;
    [[nodiscard]] double slot_use() const;

private:
    [[nodiscard]] Duration delay(NodeIndex a, NodeIndex b) const;
    [[nodiscard]] std::uint8_t total() const { return node_options().total(); }
    [[nodiscard]] SubscriptionOptions node_options() const;
    [[nodiscard]] std::size_t most_links(NodeIndex node, bool is_directed) const;
    void look_for_links(NodeIndex node);
    void disconnect(NodeIndex from, NodeIndex to);
    void draw_alike(NodeIndex node);
    void tick(NodeIndex node);
    void emit();

    void act(NodeIndex node);
    void send(NodeIndex node, SendSubscription const& action);
    void open(NodeIndex node, OpenLink const& action);
    void catch_up(NodeIndex node, StartPush const& action);
    void regenerate(NodeIndex node, RegenerateBlocks const& action);
    void answer(NodeIndex from, NodeIndex to, WantBlocks const& want);
    void disguise(ModelNode const& node, SubscriptionMessage& message) const;

    [[nodiscard]] SharedPath path_of(NodeIndex node, StripeIndex stripe);
    void forward(NodeIndex node, Block const& block);
    /// As the peer's options have it.
    void pass_on(NodeIndex node, Block block);
    void push(NodeIndex node, Job job, bool is_late);
    void send_next(NodeIndex node);
    void arrive(NodeIndex from, NodeIndex to, Block block);
    void take(NodeIndex node, NodeIndex from, Block const& block);
    [[nodiscard]] Duration queue(ModelNode const& node) const;

    ModelOptions options_;
    std::mt19937_64 random_;
    EventQueue events_;
    std::vector<ModelNode> nodes_;
    std::vector<NodeIndex> alive_;
    std::uint64_t next_group_ = 0;
    Counts counts_;
};

} // namespace minuteswarm::simulation
