#include "swarm/live_edge.hpp"

// Single blocks that are asked for, here and by neighbours.

namespace minuteswarm {
namespace {

constexpr std::chrono::seconds want_lives{4};

} // namespace

bool LiveEdge::is_wanted(NeighbourId from, Block const& block, MonotonicTime now) const {
    auto const want = wanted_.find({block.header.group, block.stripe, from});
    return want != wanted_.end() && now - want->second <= want_lives;
}

void LiveEdge::on_want(NeighbourId from, StripeList const& list) {
    auto const found = peers_.find(from);
    if (found == peers_.end() || list.run != options_.parameters.run) return;
    auto const now = MonotonicClock::now();
    if (!found->second.requests.take(static_cast<double>(list.groups.size()), now)) {
        events_.strike(from);
        return;
    }
    policy_.on_uplink(uplink_queue());
    auto const answers = policy_.answers_wants(backlog().behind(budget_.uplink()));
    StripeList missing{list.rendition, list.run, {}};
    for (auto const& entry : list.groups) {
        auto refused = entry.stripes;
        for (StripeIndex stripe; stripe.value < stripes() && answers; ++stripe) {
            if (!has(entry.stripes, stripe)) continue;
            auto const block = held(entry.group, stripe);
            if (!block || !may_repeat(from, *block)) continue;
            push(from, EdgeQueue::Class::catch_up, *block);
            refused &= ~mask_of(stripe);
        }
        if (refused != 0) missing.groups.push_back({entry.group, refused});
    }
    if (!missing.groups.empty())
        send(from, found->second, encode(MissingMessage{std::move(missing)}));
    flush();
}

void LiveEdge::on_missing(NeighbourId from, StripeList const& list) {
    if (!peers_.contains(from) || list.run != options_.parameters.run) return;
    auto const now = MonotonicClock::now();
    for (auto const& entry : list.groups) {
        auto const erased = std::erase_if(wanted_, [&](auto const& wanted) {
            auto const& [group, stripe, holder] = wanted.first;
            return group == entry.group && has(entry.stripes, stripe) && holder == from;
        });
        if (erased > 0) policy_.on_missing(from, entry.group, now);
    }
}

/// In one message: each costs a packet and the one that acknowledges it.
void LiveEdge::want(NeighbourId from, Wanted const& blocks) {
    auto const peer = peers_.find(from);
    if (peer == peers_.end()) return;
    auto const now = MonotonicClock::now();
    std::erase_if(wanted_, [&](auto const& entry) { return now - entry.second > want_lives; });
    StripeList list{options_.rendition, options_.parameters.run, {}};
    for (auto const& [group, stripes] : blocks) {
        if (list.groups.size() == limits::wanted_groups) {
            send(from, peer->second, encode(WantMessage{list}));
            list.groups.clear();
        }
        list.groups.push_back({group, stripes});
        for (StripeIndex stripe; stripe.value < limits::edge_stripes; ++stripe) {
            if (!has(stripes, stripe)) continue;
            wanted_[{group, stripe, from}] = now;
            ++counters_.wanted;
        }
    }
    send(from, peer->second, encode(WantMessage{list}));
}

} // namespace minuteswarm
