#include "edge/subscriptions.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds settled_tick{100};
constexpr milliseconds searching_tick{50};
constexpr milliseconds outage{1500}; // of the whole stream
constexpr int outage_spans = 4;      // where these are more
constexpr milliseconds urgent_age{2000};
constexpr milliseconds held_up_age{10'000}; // by an outage: older blocks are due nowhere
constexpr seconds vain_pause{1};            // of one that lacks what it was asked for
constexpr milliseconds repair_queue{150};   // new blocks that wait so long are more urgent
constexpr milliseconds most_repair{250};

SubscriptionOptions bounded(SubscriptionOptions options) {
    options.slots = std::min(options.slots, limits::edge_slots);
    options.stripes = std::clamp<std::uint8_t>(options.stripes, 1, limits::edge_stripes);
    auto const room = limits::edge_stripes - options.stripes;
    options.parity = static_cast<std::uint8_t>(std::min<std::size_t>(options.parity, room));
    options.span = std::max(options.span, milliseconds{1});
    return options;
}

} // namespace

Subscriptions::Subscriptions(
    SubscriptionOptions options, std::mt19937_64& random, MonotonicTime start
)
    : node_(bounded(options), random)
    , parents_(node_, groups_, start)
    , children_(node_, parents_)
    , homes_(node_, start)
    , links_(node_, parents_, children_, start)
    , adverts_(node_, parents_, children_, start)
    , admission_(node_, start)
    , catch_up_(node_, groups_, parents_)
    , repair_(node_, groups_, catch_up_, start) {
    homes_.tick(start);
    if (node_.options.is_source()) node_.flowing = node_.all_stripes();
}

void Subscriptions::enter(NeighbourId id, EdgeNeighbour const& neighbour, MonotonicTime now) {
    if (node_.find(id)) return;
    auto& known = node_.neighbours[id];
    known.peer = neighbour;
    known.entered = now;
    known.last_heard = now;
    known.stripes.resize(node_.options.total());
    homes_.tick(now);
    adverts_.introduce(id, groups_, now);
    parents_.on_entered(id, now);
}

void Subscriptions::leave(NeighbourId id, MonotonicTime now) {
    if (!node_.find(id)) return;
    children_.on_left(id, now);
    parents_.on_left(id, now);
    node_.neighbours.erase(id);
}

void Subscriptions::on_message(
    NeighbourId from, SubscriptionMessage const& message, MonotonicTime now
) {
    auto* neighbour = node_.find(from);
    if (!neighbour) return;
    neighbour->last_heard = now;
    if (auto const* advert = std::get_if<AdvertMessage>(&message)) {
        adverts_.learn(*neighbour, *advert, now);
    } else if (auto const* subscribe = std::get_if<SubscribeMessage>(&message)) {
        children_.on_subscribe(from, *subscribe, now);
    } else if (auto const* accept = std::get_if<AcceptMessage>(&message)) {
        parents_.on_accept(from, *accept, now);
    } else if (auto const* reject = std::get_if<RejectMessage>(&message)) {
        parents_.on_reject(from, *reject, now);
    } else if (auto const* unsubscribe = std::get_if<UnsubscribeMessage>(&message)) {
        children_.on_unsubscribe(from, *unsubscribe, now);
    } else if (auto const* preempt = std::get_if<PreemptMessage>(&message)) {
        parents_.on_preempt(from, *preempt, now);
    }
}

bool Subscriptions::on_block(BlockArrival const& block, MonotonicTime now) {
    if (block.stripe.value >= node_.options.total()) return false;
    if (!node_.options.is_source()) {
        if (auto* neighbour = node_.find(block.from)) neighbour->last_heard = now;
        parents_.on_block(block, now);
    }
    auto const is_new = groups_.add(block.group, block.stripe, now, block.age);
    auto const patience = std::max<Duration>(outage, outage_spans * node_.options.span);
    auto const is_after_outage = now - node_.newest_at > patience;
    // Playing deadlines come in the order of the groups: what was held up goes before what is new.
    auto const was_there = node_.newest && !node_.is_stepped_back && !node_.is_on_trial;
    if (is_after_outage && was_there && !node_.options.is_source()) node_.make_up(now);
    if (!node_.newest || block.group > *node_.newest) {
        if (is_after_outage) {
            node_.resumed_at = now;
            if (node_.making_up_since) node_.making_up_since = now; // what came before was repair
        }
        node_.newest = block.group;
        node_.newest_at = now;
    }
    return is_new;
}

void Subscriptions::on_rebuilt(GroupNumber group, MonotonicTime now) {
    if (node_.options.is_source()) return children_.on_sent(group, now);
    auto const missing = node_.all_stripes() & ~groups_.held(group);
    groups_.set_rebuilt(group, node_.all_stripes(), now);
    if ((missing & node_.feeding) != 0) {
        node_.actions.emplace_back(RegenerateBlocks{group, missing & node_.feeding});
    }
}

void Subscriptions::set_slots(std::size_t slots) {
    auto const before = std::exchange(node_.options.slots, std::min(slots, limits::edge_slots));
    if (before == 0 || node_.slots == before) {
        node_.slots = node_.options.slots;
    } else if (node_.options.is_uplink_known) { // what was given up has yet to be grown again
        node_.slots = std::min(node_.slots, node_.options.slots);
    }
    node_.slots = std::min(node_.slots, EdgeNode::most_measured * node_.options.slots);
}

void Subscriptions::on_missing(NeighbourId from, GroupNumber group, MonotonicTime now) {
    auto* neighbour = node_.find(from);
    if (!neighbour) return;
    // Where many lack the same, asking must not be all they do.
    neighbour->ask_again = now + vain_pause;
    catch_up_.on_missing(group);
    repair_.on_missing(from, group, now);
}

bool Subscriptions::answers_wants(Duration repairs) const {
    return !node_.options.is_source() && node_.queue < repair_queue && repairs < most_repair;
}

bool Subscriptions::is_late(StripeIndex stripe, Duration age) const {
    if (node_.is_making_up) return false;
    auto const& options = node_.options;
    return minuteswarm::is_late(age, parents_.age(stripe), options.span, options.stripes);
}

bool Subscriptions::is_urgent(StartPush const& push, Duration age) const {
    auto const most_age = node_.is_making_up ? held_up_age : urgent_age;
    return (push.is_urgent || node_.is_making_up) && (push.is_unsent || age < most_age);
}

Duration Subscriptions::tick_period() const {
    return node_.is_searching && !node_.is_stepped_back ? searching_tick : settled_tick;
}

void Subscriptions::tick(MonotonicTime now) {
    homes_.tick(now);
    auto const step = admission_.tick(now);
    auto const others = node_.all_stripes() & ~node_.homes;
    if (step == Admission::Step::leave) children_.drop(others, now);
    parents_.tick(now);
    children_.tick(now);
    auto const is_fed = count(node_.flowing) >= node_.options.stripes;
    auto const searches = !node_.options.is_source() && !node_.is_stepped_back &&
                          (!is_fed || parents_.lacks_urgently());
    if (searches && !std::exchange(node_.is_searching, searches)) node_.searching_since = now;
    node_.is_searching = searches;
    links_.tick(adverts_.period(), now);
    catch_up_.tick(now);
    repair_.tick(now);
    adverts_.tick(groups_, now);
}

} // namespace minuteswarm
