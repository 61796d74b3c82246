#include "edge/children.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds safe_after_accept{300}; // or two requests would take turns for a slot
constexpr milliseconds linger{1000};           // a victim finds another parent meanwhile
constexpr milliseconds source_linger{400};     // every copy here costs the whole swarm
constexpr milliseconds linger_queue{100};      // only while new blocks do not wait for it
constexpr seconds short_absence{3};            // of a child: no longer than it takes to judge one
constexpr milliseconds advert_view{1200};      // then adverts tell more than the request
constexpr int slow_ticks_to_shed = 3;
constexpr std::size_t least_kept = 2; // children of a node that an outage holds up
constexpr seconds shortest_growth_pause{15};
constexpr seconds longest_growth_pause{240};
constexpr milliseconds growth_queue{200};
constexpr seconds hurry_pause{2}; // older blocks are not urgent: each is at most once

} // namespace

Children::Children(EdgeNode& node, Parents const& parents)
    : node_(node)
    , parents_(parents)
    , children_(node.options.total())
    , rotated_(node.options.total())
    , vacant_since_(node.options.total()) {}

bool Children::is_child(NeighbourId id, StripeIndex stripe) const {
    auto const& all = children_[stripe.value];
    return std::any_of(all.begin(), all.end(), [&](auto const& child) { return child.id == id; });
}

bool Children::is_any_child(NeighbourId id) const {
    for (StripeIndex s; s.value < children_.size(); ++s) {
        if (is_child(id, s)) return true;
    }
    return false;
}

bool Children::at_home(StripeIndex stripe) const {
    return node_.options.is_source() || has(node_.homes, stripe);
}

std::uint8_t Children::request_class(
    Acquaintance const& from, SubscribeMessage const& request, MonotonicTime now
) const {
    // The source saw what came of it.
    if (node_.options.is_source() && now < from.distrusted_until) return child_class::luxury;
    return child_class::of(request, at_home(request.stripe));
}

std::uint8_t
Children::child_class_of(Child const& child, StripeIndex stripe, MonotonicTime now) const {
    auto const* neighbour = node_.find(child.id);
    if (!neighbour) return child_class::luxury;
    auto request = child.request;
    if (now - child.accepted > advert_view && neighbour->last_advert > child.accepted) {
        request.is_home = has(neighbour->homes, stripe) && neighbour->fanout() >= 2;
        request.is_relay = neighbour->claim(stripe).is_relay;
        request.is_needy = !node_.is_luxury(stripe, neighbour->flowing);
        request.has_uplink = neighbour->slots > 0 && !neighbour->is_stepped_back;
        request.is_adopt = false;
    }
    return request_class(*neighbour, request, now);
}

bool Children::has_free_slot(StripeIndex stripe) const {
    if (node_.options.is_source()) return source_has_free_slot(stripe);
    return used_ < node_.slots && !node_.is_held_up;
}

bool Children::may_preempt() const {
    if (node_.options.is_source()) return true;
    return leaving_ < limits::edge_leaving_children && node_.queue < node_.options.span;
}

std::optional<Children::Victim> Children::weakest(
    StripeIndex stripe, MonotonicTime now, std::function<bool(Victim const&)> const& may_go
) const {
    std::optional<Victim> weakest;
    for (StripeIndex s; s.value < children_.size(); ++s) {
        for (auto const& child : children_[s.value]) {
            if (child.leaving_at || now - child.accepted < safe_after_accept) continue;
            auto const rank = node_.options.is_source()
                                  ? source_rank(child, s, stripe, now)
                                  : static_cast<int>(child_class_of(child, s, now));
            auto const is_weaker = !weakest || rank < weakest->rank ||
                                   (rank == weakest->rank && child.accepted > weakest->accepted);
            Victim const victim{child.id, s, rank, child.accepted};
            if (is_weaker && may_go(victim)) weakest = victim;
        }
    }
    return weakest;
}

std::uint8_t Children::need(StripeIndex stripe, MonotonicTime now) const {
    if (has_free_slot(stripe)) return 0;
    if (!may_preempt()) return StripeAdvert::nobody;
    auto const is_for_homes = [](Victim const& victim) { return goes_to_homes_alone(victim); };
    auto const victim = weakest(stripe, now, std::not_fn(is_for_homes));
    if (victim && victim->rank < child_class::home)
        return static_cast<std::uint8_t>(std::max(victim->rank + 1, 1));
    return weakest(stripe, now, is_for_homes) ? child_class::home : StripeAdvert::nobody;
}

std::optional<RejectMessage::Reason>
Children::refusal(NeighbourId from, StripeIndex stripe, MonotonicTime now) const {
    using Reason = RejectMessage::Reason;
    if (!parents_.is_flowing(stripe, now)) return Reason::not_flowing;
    auto const path = parents_.path(stripe);
    if (parents_.is_above(from, stripe) || path.contains(node_.find(from)->peer.node)) {
        return Reason::loop;
    }
    if (path.is_full()) return Reason::full;
    return std::nullopt;
}

void Children::on_subscribe(NeighbourId from, SubscribeMessage const& message, MonotonicTime now) {
    auto* neighbour = node_.find(from);
    if (!neighbour || message.stripe.value >= children_.size()) return;
    // Who asks again for what it has, or had a moment ago, is judged by when it came.
    auto const& known = neighbour->stripes[message.stripe.value];
    auto const was_here = known.fed_since && now - known.fed_until < short_absence;
    auto const since = remove(from, message.stripe).value_or(was_here ? *known.fed_since : now);
    auto request = message;
    // Only who really made room is adopted.
    request.is_adopt =
        message.is_adopt && parents_.displaced(message.stripe) == neighbour->peer.node;
    if (auto const reason = refusal(from, message.stripe, now)) {
        node_.send(from, RejectMessage{message.stripe, *reason});
        return;
    }
    if (node_.options.is_source() && is_reserved(from, request, now)) {
        node_.send(from, RejectMessage{message.stripe, RejectMessage::Reason::full});
        return;
    }
    if (has_free_slot(message.stripe)) return accept(from, request, {}, since, now);
    auto const rank = static_cast<int>(request_class(*neighbour, request, now));
    auto const may_go = [&](Victim const& one) {
        return rank > one.rank && may_take_of(one, from, message);
    };
    auto const victim = may_preempt() ? weakest(message.stripe, now, may_go) : std::nullopt;
    if (!victim) {
        node_.send(from, RejectMessage{message.stripe, RejectMessage::Reason::full});
        return;
    }
    // Of another stripe the newcomer has no block to pass on.
    auto const is_successor = victim->stripe == message.stripe;
    auto const displaced = is_successor ? node_.find(victim->id)->peer.node : NodeId{};
    set_leaving(*victim, is_successor ? neighbour->peer.node : NodeId{}, now);
    accept(from, request, displaced, since, now);
}

void Children::accept(
    NeighbourId from,
    SubscribeMessage const& request,
    NodeId preempted,
    MonotonicTime since,
    MonotonicTime now
) {
    auto& all = children_[request.stripe.value];
    // Who passes it on comes first: its subtree waits with it.
    auto const passes_on = request.is_home || request.is_relay;
    all.insert(passes_on ? all.begin() : all.end(), Child{from, request, since, std::nullopt});
    recount();
    node_.send(from, AcceptMessage{request.stripe, parents_.path(request.stripe), preempted});
    auto const has_plenty = node_.slots >= used() + node_.options.total();
    auto const is_after_outage = node_.is_making_up || had_outage(request.first, now);
    if (node_.options.is_source() && (!has_plenty || is_after_outage))
        return push_unsent(from, request, now);
    if (node_.options.is_source()) note_repeated(request);
    // It says itself that others wait with it: now and then it may overtake what is new for others.
    auto& hurried_at = node_.find(from)->stripes[request.stripe.value].hurried_at;
    auto const is_urgent = request.is_relay && now - hurried_at >= hurry_pause;
    if (is_urgent) hurried_at = now;
    node_.actions.emplace_back(StartPush{
        from, request.stripe, request.first, request.held, is_urgent});
}

void Children::set_leaving(Victim const& victim, NodeId successor, MonotonicTime now) {
    auto time = node_.options.is_source() ? source_linger : linger;
    if (node_.options.is_source() && node_.is_making_up)
        time = {}; // what waits for it is its successor's
    for (auto& child : children_[victim.stripe.value]) {
        if (child.id != victim.id) continue;
        child.leaving_at = now + time;
        if (node_.options.is_source()) note_rotation(child, victim.stripe, now);
    }
    unmake(victim.stripe);
    ++preempted_;
    node_.send(victim.id, PreemptMessage{victim.stripe, successor, {}, 0});
    recount();
}

std::optional<MonotonicTime> Children::remove(NeighbourId id, StripeIndex stripe) {
    auto& all = children_[stripe.value];
    auto const found = std::ranges::find(all, id, &Child::id);
    if (found == all.end()) return std::nullopt;
    auto const since = found->leaving_at ? std::nullopt : std::optional{found->accepted};
    all.erase(found);
    node_.actions.emplace_back(StopPush{id, stripe});
    unmake(stripe);
    recount();
    return since;
}

void Children::on_unsubscribe(
    NeighbourId from, UnsubscribeMessage const& message, MonotonicTime now
) {
    if (message.stripe.value >= children_.size()) return;
    auto const since = remove(from, message.stripe);
    auto* neighbour = node_.find(from);
    if (!since || !neighbour) return;
    auto& known = neighbour->stripes[message.stripe.value];
    known.fed_since = since;
    known.fed_until = now;
}

void Children::on_left(NeighbourId id, MonotonicTime now) {
    for (StripeIndex s; s.value < children_.size(); ++s) {
        if (!is_child(id, s)) continue;
        lose(id, s, now);
    }
}

void Children::drop(StripeMask stripes, MonotonicTime now) {
    for (StripeIndex s; s.value < children_.size(); ++s) {
        if (!has(stripes, s)) continue;
        for (auto& child : children_[s.value]) {
            if (child.leaving_at) continue;
            child.leaving_at = now + linger;
            node_.send(child.id, PreemptMessage{s, {}, {}, 0});
        }
    }
    recount();
}

void Children::recount() {
    used_ = 0;
    leaving_ = 0;
    node_.feeding = 0;
    node_.relays = 0;
    for (StripeIndex s; s.value < children_.size(); ++s) {
        std::size_t staying = 0;
        for (auto const& child : children_[s.value])
            ++(child.leaving_at ? leaving_ : staying);
        used_ += staying;
        if (staying > 0) node_.feeding |= mask_of(s);
        if (staying > 1) node_.relays |= mask_of(s);
    }
    node_.has_room = used_ + 2 <= node_.slots && !node_.is_held_up;
}

void Children::stop_leaving(MonotonicTime now) {
    auto const is_busy = !node_.options.is_source() && node_.queue >= linger_queue;
    for (StripeIndex s; s.value < children_.size(); ++s) {
        auto& all = children_[s.value];
        for (std::size_t i = all.size(); i-- > 0;) {
            if (!all[i].leaving_at || (!is_busy && now < *all[i].leaving_at)) continue;
            node_.actions.emplace_back(StopPush{all[i].id, s});
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
            unmake(s);
        }
    }
    recount();
}

/// An uplink that is not known may carry more than was taken for granted, if all of that is used.
bool Children::may_grow() const {
    if (node_.slots < node_.options.slots) return true;
    auto const most = std::min(EdgeNode::most_measured * node_.options.slots, limits::edge_slots);
    return !node_.options.is_uplink_known && used_ >= node_.slots && node_.slots < most;
}

/// Gives up slots that the uplink does not carry, and tries again one by one: more seldom when one
/// was too many, more often while they hold.
void Children::shed(MonotonicTime now) {
    auto const too_long = 2 * node_.options.span + milliseconds{500};
    slow_ticks_ = node_.queue > too_long ? slow_ticks_ + 1 : 0;
    auto const is_slow = slow_ticks_ >= slow_ticks_to_shed;
    if (is_slow) slow_ticks_ = 0;
    if (node_.is_making_up) {
        // What waits behind blocks of an outage says nothing of the uplink; but
        // who lacks them gets them sooner of others that have nothing waiting.
        grown_ = now;
        if (is_slow && node_.is_held_up) let_go(std::max(used_ - (used_ + 3) / 4, least_kept));
        return;
    }
    // A source with less than one copy to give serves nobody.
    std::size_t const least = node_.options.is_source() ? node_.options.stripes : 0;
    if (is_slow && node_.slots > least) {
        grown_ = now;
        if (std::exchange(has_grown_, false)) // by one too many
            growth_pause_ = std::min<Duration>(2 * growth_pause_, longest_growth_pause);
        node_.slots = std::max(least, node_.slots - std::max<std::size_t>(1, node_.slots / 10));
    } else if (!may_grow()) {
        grown_ = now;
    } else if (node_.queue < growth_queue && now - grown_ > growth_pause_) {
        grown_ = now;
        ++node_.slots;
        if (std::exchange(has_grown_, true)) // the one before it held
            growth_pause_ = std::max<Duration>(growth_pause_ / 2, shortest_growth_pause);
    }
    let_go(node_.slots);
}

/// Of children, the weakest first; at the source of a stripe that has most, of several parity.
void Children::let_go(std::size_t kept) {
    while (used_ > kept) {
        StripeIndex from;
        for (StripeIndex s; s.value < children_.size(); ++s)
            if (staying(s) >= staying(from)) from = s;
        auto const victim = weakest(from, MonotonicTime::max(), [](auto const&) { return true; });
        if (!victim) return;
        node_.send(victim->id, PreemptMessage{victim->stripe, {}, {}, 0});
        remove(victim->id, victim->stripe);
    }
}

/// Through whom a stripe comes by now cannot have it from here: what it says of its own way there
/// may be a lie, and what is rebuilt here would go round in a circle.
void Children::drop_loops(MonotonicTime now) {
    for (StripeIndex s; s.value < children_.size(); ++s) {
        auto const path = parents_.path(s);
        for (std::size_t i = children_[s.value].size(); i-- > 0;) {
            auto const id = children_[s.value][i].id;
            auto const* neighbour = node_.find(id);
            if (neighbour && !path.contains(neighbour->peer.node)) continue;
            dismiss(id, s, now);
        }
    }
}

/// At once, and nobody takes its place.
void Children::dismiss(NeighbourId id, StripeIndex stripe, MonotonicTime now) {
    node_.send(id, PreemptMessage{stripe, {}, {}, 0});
    lose(id, stripe, now);
}

void Children::tick(MonotonicTime now) {
    if (leaving_ > 0) stop_leaving(now);
    drop_loops(now);
    if (node_.options.is_source()) drop_silent(now);
    if (node_.options.is_source()) watch_source_children(now);
    watch_making_up(now);
    node_.is_held_up =
        node_.is_making_up && !node_.options.is_source() && node_.queue >= node_.options.span;
    shed(now);
    recount();
}

} // namespace minuteswarm
