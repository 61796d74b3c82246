#include "simulation/swarm_model.hpp"

#include <algorithm>

namespace minuteswarm::simulation {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_again{500};
constexpr std::size_t peers_sampled = 16;
constexpr std::size_t tries_per_look = 40;

NeighbourId neighbour_of(NodeIndex node) {
    return {node};
}

NodeIndex index_of(NeighbourId id) {
    return static_cast<NodeIndex>(id.value);
}

} // namespace

SwarmModel::SwarmModel(ModelOptions options)
    : options_(options)
    , random_(options.seed) {
    join(source_options(options));
    events_.after(options_.span, [this] { emit(); });
}

SubscriptionOptions SwarmModel::node_options() const {
    SubscriptionOptions options;
    options.source = {1};
    options.stripes = options_.stripes;
    options.parity = options_.parity;
    options.span = options_.span;
    options.bitrate = static_cast<std::uint64_t>(options_.rate * 8);
    options.start_back = options_.start_back;
    return options;
}

Duration SwarmModel::delay(NodeIndex a, NodeIndex b) const {
    return simulation::delay(options_, {a, nodes_[a].options}, {b, nodes_[b].options});
}

NodeIndex SwarmModel::join(PeerOptions const& options) {
    auto const index = static_cast<NodeIndex>(nodes_.size());
    auto& node = nodes_.emplace_back();
    node.options = options;
    node.is_alive = true;
    node.joined = now();
    node.uplink.set_block_time(
        options.uplink > 0 ? seconds_as_time(block_bytes() / (options.uplink * options_.rate))
                           : Duration{}
    );
    auto policy = node_options();
    policy.self = {index + 1};
    auto const claimed = options.claimed > 0 ? options.claimed : options.uplink;
    policy.slots = slots(options_, claimed, index == 0);
    node.policy = std::make_unique<Subscriptions>(policy, random_, now());
    node.paths.resize(policy.total());
    alive_.push_back(index);
    if (index > 0) events_.after(tracker_time, [this, index] { look_for_links(index); });
    auto const first_tick = options_.has_equal_homes ? 0 : random_() % 100;
    events_.after(milliseconds{first_tick}, [this, index] { tick(index); });
    return index;
}

void SwarmModel::join_at(MonotonicTime time, PeerOptions const& options) {
    events_.at(time, [this, options] { join(options); });
}

void SwarmModel::kill(NodeIndex index, bool is_silent) {
    auto& node = nodes_[index];
    if (!node.is_alive) return;
    node.is_alive = false;
    node.left = now();
    std::erase(alive_, index);
    node.uplink.clear();
    auto const links = node.links;
    for (auto const& [other, time] : links) {
        if (is_silent) continue; // its neighbours find out
        disconnect(index, other);
    }
    node.policy.reset();
}

void SwarmModel::throttle(NodeIndex node, double uplink) {
    nodes_[node].uplink.set_block_time(seconds_as_time(block_bytes() / (uplink * options_.rate)));
}

std::size_t SwarmModel::most_links(NodeIndex node, bool is_directed) const {
    if (node == 0) return options_.source_links;
    return limits::neighbours + (is_directed ? limits::edge_directed_links : 0);
}

void SwarmModel::connect(NodeIndex from, NodeIndex to, bool is_directed) {
    if (from == to || nodes_[from].links.contains(to)) return;
    auto const one_way = delay(from, to);
    // TCP's and the extension's round trip.
    events_.after(4 * one_way, [this, from, to, is_directed, one_way] {
        auto& a = nodes_[from];
        auto& b = nodes_[to];
        if (!a.is_alive || !b.is_alive || a.links.contains(to)) return;
        if (a.links.size() >= most_links(from, is_directed)) return;
        if (b.links.size() >= most_links(to, is_directed)) return;
        a.links[to] = one_way;
        b.links[from] = one_way;
        draw_alike(from);
        a.policy->enter(neighbour_of(to), {{to + 1}, one_way, to == 0, is_directed}, now());
        draw_alike(to);
        b.policy->enter(neighbour_of(from), {{from + 1}, one_way, from == 0, false}, now());
        act(from);
        act(to);
    });
}

void SwarmModel::disconnect(NodeIndex from, NodeIndex to) {
    auto const link = nodes_[from].links.find(to);
    if (link == nodes_[from].links.end()) return;
    auto const one_way = link->second;
    nodes_[from].links.erase(link);
    if (nodes_[from].is_alive) nodes_[from].policy->leave(neighbour_of(to), now());
    events_.after(one_way, [this, from, to] {
        auto& other = nodes_[to];
        if (other.links.erase(from) == 0 || !other.is_alive) return;
        other.policy->leave(neighbour_of(from), now());
        act(to);
    });
}

void SwarmModel::look_for_links(NodeIndex index) {
    auto& node = nodes_[index];
    if (!node.is_alive) return;
    connect(index, 0, false);
    auto const wanted = std::min(options_.links_wanted, alive_.size() - 1);
    auto missing = wanted > node.links.size() ? wanted - node.links.size() : 0;
    for (std::size_t i = 0; i < tries_per_look && missing > 0; ++i) {
        auto const other = alive_[random_() % alive_.size()];
        if (other == index || node.links.contains(other)) continue;
        if (nodes_[other].links.size() >= most_links(other, false)) continue;
        connect(index, other, false);
        --missing;
    }
    auto const needs_more = node.links.size() < std::max<std::size_t>(wanted / 2, 1);
    events_.after(needs_more ? look_again : 4 * look_again, [this, index] {
        look_for_links(index);
    });
}

/// Homes are what a policy draws first in a call.
void SwarmModel::draw_alike(NodeIndex index) {
    if (options_.has_equal_homes && nodes_[index].policy->homes() == 0) random_.seed(options_.seed);
}

void SwarmModel::tick(NodeIndex index) {
    auto& node = nodes_[index];
    if (!node.is_alive) return;
    auto& policy = *node.policy;
    policy.on_uplink(queue(node));
    draw_alike(index);
    policy.tick(now());
    auto const is_absent =
        !node.absences.empty() && node.absences.back().second == MonotonicTime::max();
    if (policy.is_stepped_back() && !is_absent) {
        node.absences.emplace_back(now(), MonotonicTime::max());
    } else if (is_absent && count(policy.flowing()) >= options_.stripes) {
        node.absences.back().second = now();
    }
    for (auto const time : policy.take_reattached())
        counts_.reattached.push_back(time);
    if (index == 0) {
        counts_.most_source_queue = std::max(counts_.most_source_queue, queue(node));
    }
    act(index);
    events_.after(policy.tick_period(), [this, index] { tick(index); });
}

void SwarmModel::emit() {
    auto& source = nodes_[0];
    GroupNumber const group{next_group_++};
    events_.after(options_.span, [this] { emit(); });
    if (!source.is_alive) return;
    if (is_entry(options_, group)) source.policy->note_entry(group);
    for (StripeIndex s; s.value < total(); ++s) {
        Block block{s, group, path_of(0, s), {}, now(), now()};
        source.policy->on_block({{}, s, group, {}, {}}, now());
        forward(0, block);
    }
    source.held.push_back((StripeMask{1} << total()) - 1);
    source.ages.push_back(MonotonicTime{} - now());
    source.policy->on_rebuilt(group, now());
    counts_.most_source_queue = std::max(counts_.most_source_queue, queue(source));
    act(0);
}

std::size_t SwarmModel::preempted() const {
    std::size_t sum = 0;
    for (auto const index : alive_)
        sum += nodes_[index].policy->preempted();
    return sum;
}

double SwarmModel::slot_use() const {
    std::size_t used = 0;
    std::size_t all = 0;
    for (auto const index : alive_) {
        used += nodes_[index].policy->used_slots();
        all += nodes_[index].policy->slots();
    }
    return all == 0 ? 0 : static_cast<double>(used) / static_cast<double>(all);
}

Duration SwarmModel::queue(ModelNode const& node) const {
    auto const rest =
        node.is_sending && node.sending_until > now() ? node.sending_until - now() : Duration{};
    return rest + node.uplink.live_time();
}

void SwarmModel::open(NodeIndex index, OpenLink const& action) {
    if (action.successor.successor.value != 0) {
        auto const target = action.successor.successor.value - 1;
        if (target < nodes_.size() && nodes_[target].is_alive) connect(index, target, true);
        return;
    }
    for (std::size_t i = 0; i < peers_sampled; ++i) {
        auto const other = alive_[random_() % alive_.size()];
        auto const& peer = nodes_[other];
        auto const fits = action.homes == 0 || (peer.policy->homes() & action.homes) != 0;
        if (other == index || other == 0 || !fits || nodes_[index].links.contains(other)) continue;
        if (peer.links.size() >= most_links(other, true)) continue;
        connect(index, other, action.homes != 0);
        return;
    }
}

void SwarmModel::act(NodeIndex index) {
    for (auto const& action : nodes_[index].policy->take_actions()) {
        if (auto const* message = std::get_if<SendSubscription>(&action)) {
            send(index, *message);
        } else if (auto const* start = std::get_if<StartPush>(&action)) {
            catch_up(index, *start);
        } else if (auto const* wish = std::get_if<OpenLink>(&action)) {
            open(index, *wish);
        } else if (auto const* close = std::get_if<CloseLink>(&action)) {
            disconnect(index, index_of(close->neighbour));
        } else if (auto const* blocks = std::get_if<RegenerateBlocks>(&action)) {
            regenerate(index, *blocks);
        } else if (auto const* want = std::get_if<WantBlocks>(&action)) {
            auto const to = index_of(want->neighbour);
            auto const link = nodes_[index].links.find(to);
            if (link == nodes_[index].links.end()) continue;
            counts_.control_bytes += 20;
            counts_.control_packet_bytes += 60;
            events_.after(link->second, [this, to, index, asked = *want] {
                answer(to, index, asked);
            });
        }
    }
}

} // namespace minuteswarm::simulation
