#pragma once

#include "edge/subscriptions.hpp"
#include "simulation/event_queue.hpp"
#include "simulation/uplink.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace minuteswarm::simulation {

/// A stream and a network. Rates in bytes per second.
struct ModelOptions {
    std::uint8_t stripes = 8;
    std::uint8_t parity = 1;
    std::chrono::milliseconds span{250};
    double rate = 500'000;
    double source_uplink = 1.5; ///< of the rate
    std::chrono::milliseconds least_delay{5};
    std::chrono::milliseconds most_delay{60};
    std::size_t links_wanted = 20;
    std::size_t source_links = 40;
    double fill = 0.93;   ///< of the uplink, in slots
    double header = 1.02; ///< of a block's payload
    std::uint64_t seed = 1;
};

/// What a peer is like.
struct PeerOptions {
    double uplink = 1.5;                   ///< of the rate
    double claimed = 0;                    ///< of the rate; 0: as it is
    bool forwards = true;                  ///< false: takes stripes and children, and sends nothing
    bool claims_the_best = false;          ///< says it has every stripe, new and with slots free
    std::uint64_t forwards_one_in = 1;     ///< groups: the others it keeps to itself
    std::chrono::milliseconds holds_for{}; ///< each block, and says it did not
};

/// What was counted since the last reset.
struct Counts {
    std::uint64_t blocks = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t answers = 0; ///< blocks sent late: catch-up and repair
    std::uint64_t control_bytes = 0;
    std::uint64_t control_packet_bytes = 0; ///< with TCP and IP
    std::uint64_t control_messages = 0;
    std::uint64_t source_blocks = 0;
    std::uint64_t source_answers = 0;
    std::uint64_t own_paths = 0; ///< blocks from a parent that had been at the receiver before
    std::uint64_t hops = 0;
    std::uint64_t hop_samples = 0;
    std::size_t most_hops = 0;
    Duration most_source_queue{};
    Duration worst_age_error{};
    std::vector<Duration> reattached;
};

/// A node: the policy under test, and what happens to it.
struct ModelNode {
    PeerOptions options;
    bool is_alive = false;
    bool is_sending = false;
    MonotonicTime joined{};
    MonotonicTime left = MonotonicTime::max();
    std::unique_ptr<Subscriptions> policy;
    std::map<NodeIndex, Duration> links;
    Uplink uplink;
    MonotonicTime sending_until{};
    std::vector<StripeMask> held;     ///< by group; all of it once it is rebuilt
    std::vector<StripeMask> received; ///< by group
    std::vector<float> done;          ///< seconds after the group, by group; -1: not
    std::vector<Duration> ages;       ///< of the groups' first blocks when they came
    std::vector<std::pair<MonotonicTime, MonotonicTime>>
        absences;                  ///< stepped back, until K stripes flow
    std::vector<SharedPath> paths; ///< what it sends, by stripe: shared by its blocks
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
    [[nodiscard]] std::size_t slots(double uplink) const;
    [[nodiscard]] double block_bytes() const;
    [[nodiscard]] MonotonicTime group_time(std::uint64_t group) const;
    [[nodiscard]] std::uint64_t groups() const { return next_group_; }
    [[nodiscard]] std::uint64_t handled() const { return events_.handled(); }
    [[nodiscard]] std::mt19937_64& random() { return random_; }
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
