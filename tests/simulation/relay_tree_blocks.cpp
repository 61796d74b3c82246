#include "simulation/relay_tree.hpp"

#include <algorithm>

// How the stream moves in the tree: its packets are as long as the other model's blocks without
// headers, K to a group. PeerCast's are at most 16 KiB, which is that of 4 Mbit/s and 250 ms.

namespace minuteswarm::simulation {
namespace {

constexpr std::chrono::seconds buffer{3}; // PeerCastStation: PacketTimeLimit

} // namespace

void RelayTree::emit() {
    auto& source = nodes_[0];
    GroupNumber const group{next_group_++};
    events_.after(options_.span, [this] { emit(); });
    source.held.push_back((StripeMask{1} << options_.stripes) - 1);
    source.next_block = next_group_ * options_.stripes;
    for (StripeIndex s; s.value < options_.stripes; ++s)
        forward(0, {s, group, nullptr, {}, now(), now()});
}

/// From where the child broke off, as far back as the buffer goes; newcomers begin with the newest.
void RelayTree::catch_up(NodeIndex index, RelayChild& child) {
    auto const& node = nodes_[index];
    auto const wanted = nodes_[child.node].next_block;
    if (!wanted || !node.next_block) return;
    auto const held = static_cast<std::uint64_t>(buffer / options_.span) * options_.stripes;
    auto const oldest = *node.next_block - std::min(held, *node.next_block);
    for (auto number = std::max(*wanted, oldest); number < *node.next_block; ++number) {
        GroupNumber const group{number / options_.stripes};
        StripeIndex const stripe{static_cast<std::uint8_t>(number % options_.stripes)};
        if (group.value >= node.held.size() || !has(node.held[group.value], stripe)) continue;
        ++counts_.answers;
        send(index, child, {stripe, group, nullptr, {}, now(), now()});
    }
}

void RelayTree::forward(NodeIndex index, Block const& block) {
    for (auto& child : nodes_[index].children)
        send(index, child, block);
}

/// A child that falls behind by more than the buffer misses what it holds no longer.
void RelayTree::send(NodeIndex index, RelayChild& child, Block const& block) {
    auto& node = nodes_[index];
    if (!node.options.forwards || node.block_time <= Duration{}) return;
    child.queue.push({child.node, block, false}, true);
    child.queue.forget_late(static_cast<std::size_t>(buffer / options_.span) * options_.stripes);
    if (!node.is_sending) send_next(index);
}

void RelayTree::send_next(NodeIndex index) {
    auto& node = nodes_[index];
    node.is_sending = false;
    for (std::size_t i = 0; node.is_alive && i < node.children.size(); ++i) {
        node.turn = (node.turn + 1) % node.children.size();
        auto& child = node.children[node.turn];
        if (child.queue.is_idle()) continue;
        auto const job = child.queue.pop();
        if (index == 0) ++counts_.source_blocks;
        node.is_sending = true;
        auto const one_way = delay(index, job.to);
        auto const lost = block_loss(block_bytes(), node.options, nodes_[job.to].options);
        auto const is_late = lost > 0 && std::bernoulli_distribution{lost}(random_);
        auto const way = is_late ? one_way + repeat_time(one_way) : one_way;
        events_.after(node.block_time, [this, index] { send_next(index); });
        events_.after(node.block_time + way, [this, index, to = job.to, block = job.block] {
            take(to, index, block);
        });
        return;
    }
}

void RelayTree::take(NodeIndex index, NodeIndex from, Block const& block) {
    auto& node = nodes_[index];
    if (!node.is_alive || (node.parent && node.parent != from)) return;
    auto const group = block.group.value;
    if (node.held.size() <= group) {
        node.held.resize(group + 1);
        node.done.resize(group + 1, -1.0F);
    }
    ++counts_.blocks;
    node.fed = now();
    auto& held = node.held[group];
    if (has(held, block.stripe)) {
        ++counts_.duplicates;
        return;
    }
    node.hops = nodes_[from].hops + 1;
    counts_.hops += node.hops;
    ++counts_.hop_samples;
    counts_.most_hops = std::max(counts_.most_hops, node.hops);
    held |= mask_of(block.stripe);
    auto const number = group * options_.stripes + block.stripe.value;
    node.next_block = std::max(node.next_block.value_or(0), number + 1);
    forward(index, block);
    if (count(held) != options_.stripes) return;
    node.done[group] = std::chrono::duration<float>(now() - group_time(group)).count();
}

} // namespace minuteswarm::simulation
