#include "edge/parents.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds desperate_after{300};    // without a parent: now anybody will do
constexpr milliseconds last_resort_after{1500}; // a root without room for children
constexpr milliseconds answer_time{300};        // beside two round trips
constexpr seconds switch_period{1};
constexpr int bias_fades = 32;     // of those periods: half of it in 22 s
constexpr double home_gain = 0.08; // seconds; a home's whole subtree gains by its switch
constexpr double leaf_gain = 0.3;
constexpr double least_gain = 0.2; // of the present cost
constexpr double not_home_cost = 0.3;
constexpr double preemption_cost = 0.1;
constexpr double each_shared_cost = 0.15; // each stripe that would go with this one
constexpr std::size_t most_shared = 3;
constexpr double spare_worth = 0.02; // each of the first five free slots
constexpr double stale_cost = 0.5;   // each second without a word, after the first moment
constexpr double fresh = 0.3;        // seconds: how long a living one may be silent to a searcher

constexpr std::uint64_t groups_under_way = 3;
constexpr std::uint64_t few_stripes_groups = 7; // of narrow uplinks
constexpr std::uint64_t most_unheard = SubscribeMessage::groups - 8;
constexpr std::uint64_t usual_start = 3; // groups before the newest one
constexpr seconds catch_up_time{6};      // of blocks that are missing still, from a new parent
constexpr seconds return_time{2};        // of one that stepped back and comes again
constexpr seconds start_time{2};
constexpr seconds hurry_time{4}; // from a near start on

double seconds_of(Duration time) {
    return std::chrono::duration<double>(time).count();
}

} // namespace

bool Parents::is_candidate(
    Acquaintance const& neighbour, StripeIndex stripe, Search const& search, MonotonicTime now
) const {
    auto const& known = neighbour.stripes[stripe.value];
    if (!neighbour.has_advert || !known.claim.is_flowing) return false;
    if (now < known.retry_at || now < neighbour.distrusted_until) return false;
    if (node_.newest && !neighbour.peer.is_source) {
        auto const newest = node_.expected_newest(neighbour, now);
        // Where many lost theirs, most of who have it again are still catching up.
        auto const is_lenient = search.is_desperate && node_.options.has_many_stripes();
        auto const behind = is_lenient ? std::uint8_t{0} : known.claim.behind;
        if (newest + 2 < *node_.newest + behind) return false;
    }
    auto const is_home = has(node_.homes, stripe);
    auto const is_proper = neighbour.peer.is_source ? is_home : known.claim.is_home;
    if (!is_proper && !search.is_desperate) return false;
    if (neighbour.peer.is_source && !is_home && !node_.has_room) {
        // A root that cannot feed others is of use to nobody else.
        if (now - feeds_[stripe.value].orphan_since < last_resort_after) return false;
    }
    auto const at_home = neighbour.peer.is_source || known.claim.is_home;
    if (known.claim.need == 0) return true;
    return search.may_preempt &&
           child_class::of(request(stripe, search), at_home) >= known.claim.need;
}

/// What it is worth to have the stripe from another one: of what goes with this neighbour, should
/// it go, parity makes up for so much.
double Parents::shared_cost(NeighbourId of, StripeIndex stripe) const {
    std::size_t others = 0;
    for (StripeIndex s; s.value < feeds_.size(); ++s)
        others += s != stripe && (feeds_[s.value].parent == of || feeds_[s.value].asked == of);
    auto const covered = std::max<std::size_t>(node_.options.parity, 1) - 1;
    auto const beyond = others - std::min(others, covered);
    return each_shared_cost * static_cast<double>(std::min(beyond, most_shared));
}

/// Until a block has left for one child more.
double Parents::sending_cost(Acquaintance const& neighbour) const {
    auto const span = seconds_of(node_.options.span);
    if (node_.options.has_many_stripes())
        return 0.3 * span - spare_worth * std::min<double>(5, neighbour.spare);
    auto const slots = std::max<double>(neighbour.slots, 1);
    return span * (slots - std::min<double>(neighbour.spare, slots)) / slots;
}

double Parents::cost(NeighbourId of, StripeIndex stripe, MonotonicTime now) const {
    auto const& neighbour = *node_.find(of);
    auto const& claim = neighbour.claim(stripe);
    auto value = seconds_of(claim.age) + seconds_of(neighbour.peer.delay) +
                 seconds_of(std::max(neighbour.bias, Duration{}));
    if (!claim.is_home && !neighbour.peer.is_source) value += not_home_cost;
    if (claim.need > 0) value += preemption_cost;
    value += shared_cost(of, stripe);
    value += sending_cost(neighbour);
    if (!node_.is_searching) return value;
    return value + stale_cost * std::max(0.0, seconds_of(now - neighbour.last_heard) - fresh);
}

std::optional<Parents::Candidate>
Parents::best_candidate(StripeIndex stripe, Search const& search, MonotonicTime now) {
    std::optional<Candidate> best;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (id == feeds_[stripe.value].parent || id == feeds_[stripe.value].former) continue;
        if (!is_candidate(neighbour, stripe, search, now)) continue;
        auto const value = cost(id, stripe, now) + node_.random_real(0, 0.03);
        if (!best || value < best->cost) best = Candidate{id, value};
    }
    return best;
}

SubscribeMessage Parents::request(StripeIndex stripe, Search const& search) const {
    SubscribeMessage request;
    request.stripe = stripe;
    request.is_home = has(node_.homes, stripe) && node_.fanout() >= 2 && !node_.is_on_trial;
    request.is_relay = has(node_.relays, stripe);
    request.is_needy = !node_.is_luxury(stripe, node_.flowing);
    request.has_uplink = node_.slots > 0 && !node_.is_on_trial;
    request.is_desperate = search.is_desperate;
    request.may_preempt = search.may_preempt;
    return request;
}

/// The newest group by now. Of whom has only just come itself neither that nor a random access
/// point can be learnt: the others tell.
GroupNumber Parents::newest_by(Acquaintance const& to, MonotonicTime now) const {
    auto const usual = node_.usual_newest(now);
    return to.newest.value == 0 ? usual : std::min(node_.expected_newest(to, now), usual);
}

/// The newest random access point that is old enough, or the oldest there is; as far as a request
/// can name it. Without any, the last ones tell a decoder more than waiting for the next group.
GroupNumber
Parents::choose_start(Acquaintance const& to, Duration distance_back, MonotonicTime now) const {
    auto const newest = newest_by(to, now);
    auto const entries = to.entries.empty() ? node_.known_entries() : to.entries;
    auto const back = static_cast<std::uint64_t>(distance_back / node_.options.span);
    std::optional<GroupNumber> found;
    for (auto const entry : entries) { // newest first
        auto const distance = newest > entry ? newest.value - entry.value : 0;
        if (distance >= SubscribeMessage::groups) break;
        found = entry;
        if (distance >= back) break;
    }
    return found.value_or(GroupNumber{newest.value - std::min(newest.value, usual_start)});
}

/// The newest random access point, or the next one if that is nearer in time: where many come at
/// once, so much less has to be repeated for them.
GroupNumber Parents::choose_near_start(Acquaintance const& to, MonotonicTime now) const {
    auto const nearest = choose_start(to, {}, now);
    auto const known = node_.known_entries();
    if (known.size() < 2) return nearest;
    auto const entry = known[0];
    auto const before = known[1];
    auto const newest = newest_by(to, now);
    auto const period = entry.value - before.value;
    if (newest < entry || newest > entry + period) return nearest;
    return newest.value - entry.value > period / 2 ? entry + period : nearest;
}

/// Whether one alone has uplink and blocks for all from there on. What others lack who have come at
/// the same time would wait behind that.
bool Parents::brings_all(Acquaintance const& to, GroupNumber first) const {
    if (to.spare < node_.options.total()) return false;
    auto const has_any = to.peer.is_source || !to.entries.empty() || node_.known_entries().empty();
    if (!has_any || (!to.entries.empty() && to.entries.back() > first)) return false;
    return std::ranges::none_of(node_.neighbours, [](auto const& entry) {
        auto const& other = entry.second;
        return !other.peer.is_source && other.has_advert && other.rebuilt.value == 0;
    });
}

/// As far back as is wished for, if there is uplink for that; else playing begins with less in
/// hand.
void Parents::set_start(Acquaintance const& to, MonotonicTime now) {
    auto const wanted = node_.options.start_back;
    start_ = choose_start(to, wanted, now);
    start_until_ = now + start_time;
    starts_near_ =
        wanted > Duration{} && !brings_all(to, *start_) && !node_.has_help(node_.helpers(*start_));
    if (!starts_near_) return;
    start_ = choose_near_start(to, now);
    if (node_.options.has_many_stripes()) node_.hurries_until = now + hurry_time;
}

void Parents::add_range(SubscribeMessage& request, Acquaintance const& to, MonotonicTime now) {
    auto const is_leaf = !has(node_.feeding, request.stripe);
    if (groups_.is_empty() && now >= start_until_) set_start(to, now);
    auto const newest = groups_.is_empty() ? node_.usual_newest(now) : groups_.newest();
    auto const recent = newest.value - std::min(newest.value, EdgeNode::settling_groups);
    auto const starting = starting_from(now);
    if (starting && node_.has_help(node_.helpers(*starting))) {
        request.first = {std::max(recent, starting->value)}; // CatchUp asks for what comes before
        return;
    }
    if (groups_.is_empty()) {
        request.first = *start_;
        return;
    }
    // Who was away has played what came meanwhile, or not: others wait for theirs.
    auto const time = node_.is_on_trial ? return_time : catch_up_time;
    auto const of_use = node_.options.has_many_stripes()
                            ? static_cast<std::uint64_t>(time / node_.options.span)
                            : few_stripes_groups;
    auto back = std::min<std::uint64_t>(
        {groups_.newest().value - groups_.first().value, SubscribeMessage::groups - 1, of_use}
    );
    // After an outage what came meanwhile, and what it has cut off.
    auto const unheard = static_cast<std::uint64_t>((now - node_.newest_at) / node_.options.span);
    back = std::min(back, SubscribeMessage::groups - std::min(unheard, most_unheard));
    auto const is_starting = start_ && now < start_until_ && *start_ <= groups_.newest();
    if (is_starting) {
        auto const since = groups_.newest().value - start_->value;
        back = std::min<std::uint64_t>(since, SubscribeMessage::groups - 1);
    }
    request.first = {groups_.newest().value - back};
    // Parity covers what is on its way to a leaf that has enough; a root will not be one.
    auto const is_covered = is_leaf && !request.is_needy && !to.peer.is_source;
    auto const under_way = is_covered ? groups_under_way : 0;
    for (std::uint64_t i = 0; i <= back; ++i) {
        auto const is_held = has(groups_.held(request.first + i), request.stripe);
        if (is_held || i + under_way > back) request.held |= 1U << i;
    }
}

void Parents::ask(NeighbourId id, StripeIndex stripe, SubscribeMessage request, MonotonicTime now) {
    auto const* neighbour = node_.find(id);
    auto& feed = feeds_[stripe.value];
    add_range(request, *neighbour, now);
    feed.asked = id;
    feed.asked_until = now + answer_time + 4 * neighbour->peer.delay;
    feed.no_candidate_since.reset();
    node_.send(id, request);
}

void Parents::search(StripeIndex stripe, MonotonicTime now) {
    auto& feed = feeds_[stripe.value];
    if (feed.asked || (feed.parent && !feed.needs_another) || now < feed.retry_at) return;
    if (awaits_adoption(feed, now) && !feed.needs_another) {
        ask_successor(stripe, now);
        // The old parent's last blocks bridge that.
        if (feed.asked || now - feed.orphan_since < 2 * desperate_after) return;
    }
    auto const is_luxury = is_mere_luxury(stripe);
    Search how;
    how.is_desperate = feed.needs_another || now - feed.orphan_since > desperate_after;
    if (is_luxury) {
        feed.retry_at = now + node_.random_time(milliseconds{1500}, milliseconds{4500});
    }
    if (auto const best = best_candidate(stripe, how, now)) {
        ask(best->id, stripe, request(stripe, how), now);
    } else if (!feed.no_candidate_since && !is_luxury) {
        feed.no_candidate_since = now;
    }
}

void Parents::take_root(StripeIndex stripe, MonotonicTime now) {
    auto const& feed = feeds_[stripe.value];
    if (!has(node_.homes, stripe) || feed.asked || feed.former || !feed.parent) return;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (!neighbour.peer.is_source || id == feed.parent) continue;
        if (neighbour.has_advert && neighbour.claim(stripe).need == 0 &&
            now >= neighbour.stripes[stripe.value].retry_at) {
            return ask(id, stripe, request(stripe, {}), now);
        }
    }
}

void Parents::consider_switch(MonotonicTime now) {
    if (now < next_switch_) return;
    next_switch_ = now + node_.random_time(switch_period * 3 / 4, switch_period * 5 / 4);
    for (auto& [id, neighbour] : node_.neighbours)
        neighbour.bias -= neighbour.bias / bias_fades; // it may have been no fault of its own
    std::vector<StripeIndex> fed;
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        auto const& feed = feeds_[s.value];
        if (feed.parent && feed.has_block && !feed.asked && !feed.former) fed.push_back(s);
    }
    if (fed.empty() || node_.is_searching) return;
    auto const stripe = fed[node_.random() % fed.size()];
    auto const& feed = feeds_[stripe.value];
    auto const* parent = node_.find(*feed.parent);
    if (!parent) return;
    auto const is_home = has(node_.homes, stripe);
    auto present = seconds_of(feed.age);
    if (!parent->claim(stripe).is_home && !parent->peer.is_source) present += not_home_cost;
    present += shared_cost(*feed.parent, stripe);
    Search const how{false, true, is_home};
    auto const best = best_candidate(stripe, how, now);
    if (!best) return;
    auto const gain = std::max(is_home ? home_gain : leaf_gain, least_gain * present);
    if (best->cost < present - gain) ask(best->id, stripe, request(stripe, how), now);
}

} // namespace minuteswarm
