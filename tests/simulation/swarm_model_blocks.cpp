#include "edge/edge_parameters.hpp"
#include "simulation/swarm_model.hpp"

#include <algorithm>

// How blocks and messages move in the model.

namespace minuteswarm::simulation {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t message_frame = 7; // length, BEP 10's two bytes, type
constexpr std::size_t packet_frame = 40; // TCP and IP

} // namespace

void SwarmModel::disguise(ModelNode const& node, SubscriptionMessage& message) const {
    auto* advert = std::get_if<AdvertMessage>(&message);
    if (!advert || !node.options.claims_the_best) return;
    advert->newest = {next_group_};
    advert->spare = 40;
    advert->slots = 80;
    advert->incomplete = 0;
    advert->stripes.clear();
    for (StripeIndex s; s.value < total(); ++s)
        advert->stripes.push_back({s, true, true, true, 0, 1, 0, milliseconds{20}});
}

void SwarmModel::send(NodeIndex index, SendSubscription const& action) {
    auto& node = nodes_[index];
    auto const to = static_cast<NodeIndex>(action.to.value);
    auto const link = node.links.find(to);
    if (link == node.links.end()) return;
    auto message = std::make_shared<SubscriptionMessage>(action.message);
    disguise(node, *message);
    auto const size = std::visit([](auto const& m) { return encode_body(m).size(); }, *message);
    ++counts_.control_messages;
    counts_.control_bytes += size + message_frame;
    counts_.control_packet_bytes += size + message_frame + packet_frame;
    events_.after(link->second, [this, index, to, message] {
        auto& receiver = nodes_[to];
        if (!receiver.is_alive || !receiver.links.contains(index)) return;
        receiver.policy->on_uplink(queue(receiver));
        receiver.policy->on_message({index}, *message, now());
        act(to);
    });
}

SharedPath SwarmModel::path_of(NodeIndex index, StripeIndex stripe) {
    auto& node = nodes_[index];
    auto& known = node.paths[stripe.value];
    auto path = node.policy->path(stripe);
    if (node.options.forges_paths) {
        path = {};
        path.append({1});
        path.append({index + 1});
    }
    if (!known || !(*known == path)) known = std::make_shared<NodePath const>(path);
    return known;
}

void SwarmModel::forward(NodeIndex index, Block const& block) {
    auto& node = nodes_[index];
    auto const is_old = node.policy->is_late(block.stripe, block.age);
    for (auto const& child : node.policy->children(block.stripe)) {
        push(index, {static_cast<NodeIndex>(child.id.value), block, false}, is_old);
    }
}

void SwarmModel::pass_on(NodeIndex index, Block block) {
    auto const& options = nodes_[index].options;
    if (block.group.value % options.forwards_one_in != 0) return;
    if (options.holds_for == milliseconds{}) return forward(index, block);
    block.age = {};
    events_.after(options.holds_for, [this, index, block]() mutable {
        block.came = now();
        if (nodes_[index].is_alive) forward(index, block);
    });
}

void SwarmModel::push(NodeIndex index, Job job, bool is_late) {
    auto& node = nodes_[index];
    if (!node.options.forwards || node.uplink.block_time() <= Duration{}) return;
    node.uplink.forget_late_before(now() - limits::edge_queue_wait);
    if (is_late && node.uplink.waits_late(job)) return;
    job.since = now();
    node.uplink.push(std::move(job), is_late);
    if (!node.is_sending) send_next(index);
}

void SwarmModel::send_next(NodeIndex index) {
    auto& node = nodes_[index];
    node.is_sending = false;
    while (node.is_alive && !node.uplink.is_idle()) {
        auto job = node.uplink.pop();
        auto const link = node.links.find(job.to);
        if (link == node.links.end()) continue;
        if (!job.is_answer && !node.policy->pushes(job.block.stripe, {job.to})) continue;
        auto const time = node.uplink.block_time();
        if (index == 0) ++counts_.source_blocks;
        if (index == 0 && job.is_answer) ++counts_.source_answers;
        if (job.is_answer) ++counts_.answers;
        node.is_sending = true;
        node.sending_until = now() + time;
        job.block.age += now() - job.block.came + time;
        events_.after(time, [this, index] { send_next(index); });
        auto const lost = block_loss(block_bytes(), node.options, nodes_[job.to].options);
        auto const is_late = lost > 0 && std::bernoulli_distribution{lost}(random_);
        auto const way = is_late ? link->second + repeat_time(link->second) : link->second;
        events_.after(time + way, [this, index, to = job.to, block = job.block] {
            arrive(index, to, block);
        });
        return;
    }
}

void SwarmModel::arrive(NodeIndex from, NodeIndex to, Block block) {
    auto& node = nodes_[to];
    auto const link = node.links.find(from);
    if (!node.is_alive || link == node.links.end()) return;
    block.age += link->second;
    block.came = now();
    auto const error = block.age - (now() - block.born);
    counts_.worst_age_error =
        std::max(counts_.worst_age_error, error < Duration{} ? -error : error);
    take(to, from, block);
    act(to);
}

void SwarmModel::take(NodeIndex index, NodeIndex from, Block const& block) {
    auto& node = nodes_[index];
    auto const group = block.group.value;
    if (node.held.size() <= group) {
        node.held.resize(group + 1);
        node.received.resize(group + 1);
        node.done.resize(group + 1, -1.0F);
        node.ages.resize(group + 1);
    }
    ++counts_.blocks;
    auto const is_own = block.path->contains({index + 1});
    if (is_own && node.policy->parents().parent(block.stripe) == NeighbourId{from}) {
        ++counts_.own_paths;
    }
    node.policy->on_uplink(queue(node));
    node.policy->on_block({{from}, block.stripe, block.group, *block.path, block.age}, now());
    auto& held = node.held[group];
    if (has(node.received[group], block.stripe)) ++counts_.duplicates;
    node.received[group] |= mask_of(block.stripe);
    if (has(held, block.stripe)) return;
    counts_.hops += block.path->size();
    ++counts_.hop_samples;
    counts_.most_hops = std::max(counts_.most_hops, block.path->size());
    if (held == 0) node.ages[group] = block.age - (now() - MonotonicTime{});
    held |= mask_of(block.stripe);
    auto onward = block;
    onward.path = path_of(index, block.stripe);
    pass_on(index, onward);
    if (count(held) != options_.stripes) return;
    node.done[group] = std::chrono::duration<float>(now() - group_time(group)).count();
    held = (StripeMask{1} << total()) - 1;
    if (is_entry(options_, block.group)) node.policy->note_entry(block.group);
    node.policy->on_rebuilt(block.group, now());
}

void SwarmModel::regenerate(NodeIndex index, RegenerateBlocks const& action) {
    auto& node = nodes_[index];
    for (StripeIndex s; s.value < total(); ++s) {
        if (!has(action.stripes, s)) continue;
        auto const age = node.ages[action.group.value] + (now() - MonotonicTime{});
        Block const block{
            s, action.group, path_of(index, s), age, now(), group_time(action.group.value)};
        forward(index, block);
    }
}

void SwarmModel::catch_up(NodeIndex index, StartPush const& action) {
    auto& node = nodes_[index];
    auto const to = static_cast<NodeIndex>(action.child.value);
    auto const first = action.first.value;
    for (auto group = first; group < node.held.size() && group < first + 32; ++group) {
        if (((action.held >> (group - first)) & 1U) != 0) continue;
        if (!has(node.held[group], action.stripe)) continue;
        auto const age = node.ages[group] + (now() - MonotonicTime{});
        auto const is_urgent = node.policy->is_urgent(action, age);
        Block const block{
            action.stripe, {group}, path_of(index, action.stripe), age, now(), group_time(group)};
        push(index, {to, block, true}, !is_urgent);
    }
}

void SwarmModel::answer(NodeIndex from, NodeIndex to, WantBlocks const& want) {
    auto& node = nodes_[from];
    if (!node.is_alive || !node.links.contains(to)) return;
    node.policy->on_uplink(queue(node));
    auto const answers = node.policy->answers_wants(node.uplink.late_time());
    auto const is_here = answers && want.group.value < node.held.size();
    auto const held = is_here ? node.held[want.group.value] : StripeMask{0};
    if ((want.stripes & ~held) != 0) {
        events_.at(now() + node.links.at(to), [this, from, to, group = want.group] {
            if (nodes_[to].is_alive) nodes_[to].policy->on_missing({from}, group, now());
        });
    }
    for (StripeIndex s; s.value < total(); ++s) {
        if (!has(want.stripes & held, s)) continue;
        auto const age = node.ages[want.group.value] + (now() - MonotonicTime{});
        Block const block{
            s, want.group, path_of(from, s), age, now(), group_time(want.group.value)};
        push(from, {to, block, true}, true);
    }
}

} // namespace minuteswarm::simulation
