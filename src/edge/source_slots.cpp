#include "edge/children.hpp"

// The source's slots are the roots of all trees: whom they go to decides what the swarm is worth.

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds watch_period{200};
constexpr int proof_spans = 12;   // a root that forwards has reached half of all by then
constexpr int looking_spans = 4;  // a neighbour newer than that may find its stripes elsewhere
constexpr int settled_spans = 16; // a neighbour newer than that may lack stripes
constexpr milliseconds usual_span{250};
constexpr seconds out_of_favour{20}; // after a rotation: the others may prove themselves
constexpr int silence_adverts = 3;   // of a child that are missing
constexpr int doubt_adverts = 2;
constexpr milliseconds advert_way{100};
constexpr seconds unsent_time{3};        // older blocks come with the chunk
constexpr seconds outage_time{8};        // of the source's line
constexpr seconds least_making_up{1};    // before what waits shows in the queue
constexpr unsigned most_made_up_for = 2; // times: who asks ever again would take all uplink
constexpr milliseconds drained_queue{200};
constexpr milliseconds reserved{1000};  // for homes, after a stripe has lost its last root
constexpr milliseconds held_back{1000}; // a stripe that comes so much later than others
constexpr int held_spans = 4;
constexpr milliseconds lack_memory{1500}; // who has lost a stripe says now and then that it flows
constexpr std::size_t comparable = 4;     // stripes: of fewer, one is often far behind the other

/// How late the stripes come at a neighbour, half of them later; none of few.
std::optional<Duration> middle_age(Acquaintance const& neighbour) {
    std::vector<Duration> ages;
    for (auto const& stripe : neighbour.stripes) {
        if (stripe.claim.is_flowing) ages.push_back(stripe.claim.age);
    }
    if (ages.size() < comparable) return std::nullopt;
    auto const middle = ages.begin() + static_cast<std::ptrdiff_t>((ages.size() - 1) / 2);
    std::ranges::nth_element(ages, middle);
    return *middle;
}

} // namespace

/// So many spans, but not less than of the usual length: requests and adverts take their time.
Duration Children::spans(int number) const {
    return number * std::max(node_.options.span, usual_span);
}

std::size_t Children::quota() const {
    return node_.slots / node_.options.total();
}

std::size_t Children::source_share() const {
    return (node_.options.total() + 3U) / 4;
}

/// What somebody has beyond its share of the source's slots goes to those who have less than
/// theirs.
bool Children::may_take_of(Victim const& victim, NeighbourId from, SubscribeMessage const& message)
    const {
    if (victim.rank >= 0) return message.may_preempt;
    if (slots_of(from) >= source_share()) return false;
    return message.is_home || !goes_to_homes_alone(victim);
}

std::size_t Children::slots_of(NeighbourId id) const {
    auto const is_staying = [&](Child const& child) { return child.id == id && !child.leaving_at; };
    std::size_t held = 0;
    for (StripeIndex s; s.value < children_.size(); ++s)
        held += std::ranges::any_of(children_[s.value], is_staying) ? 1U : 0U;
    return held;
}

/// Children of the stripe that have not been told to go.
std::size_t Children::staying(StripeIndex stripe) const {
    auto const is_staying = [](Child const& child) { return !child.leaving_at; };
    return static_cast<std::size_t>(std::ranges::count_if(children_[stripe.value], is_staying));
}

bool Children::source_has_free_slot(StripeIndex stripe) const {
    auto const each = quota();
    auto const here = staying(stripe);
    std::size_t beyond = 0;
    for (StripeIndex s; s.value < children_.size(); ++s)
        beyond += std::max(staying(s), each) - each;
    // A second child would wait for all that the first one is sent.
    if (node_.is_making_up) return here == 0 && used_ < node_.slots;
    if (here < each) return true;
    return here == each && beyond < node_.slots - each * node_.options.total();
}

int Children::source_rank(
    Child const& child, StripeIndex stripe, StripeIndex wanted, MonotonicTime now
) const {
    constexpr int untouchable = child_class::home + 1;
    auto const each = quota();
    auto const is_beyond = staying(stripe) > std::max<std::size_t>(each, 1);
    if (stripe != wanted && (!is_beyond || staying(wanted) > each)) return untouchable;
    auto const rank = static_cast<int>(child_class_of(child, stripe, now));
    if (others_wait_ && slots_of(child.id) > source_share()) return rank + over_share;
    auto const is_useless =
        brings_nothing(child, stripe, now) && now - rotated_[stripe.value] >= spans(proof_spans);
    return is_useless ? std::min<int>(rank, child_class::relay) : rank;
}

/// Half of all lack the stripe, or have lacked it of late, and the root has had its time.
bool Children::brings_nothing(Child const& root, StripeIndex stripe, MonotonicTime now) const {
    auto const since = now - root.accepted;
    if (has(undelivered_, stripe) && since >= spans(proof_spans)) return true;
    return has(seldom_delivered_, stripe) && since >= spans(proof_spans) + lack_memory;
}

void Children::note_rotation(Child const& victim, StripeIndex stripe, MonotonicTime now) {
    if (!brings_nothing(victim, stripe, now)) return;
    rotated_[stripe.value] = now;
    if (auto* neighbour = node_.find(victim.id)) neighbour->distrusted_until = now + out_of_favour;
}

bool Children::is_reserved(NeighbourId from, SubscribeMessage const& request, MonotonicTime now)
    const {
    auto const& vacant = vacant_since_[request.stripe.value];
    if (request.is_home || (vacant && now - *vacant >= reserved)) return false;
    return std::any_of(node_.neighbours.begin(), node_.neighbours.end(), [&](auto const& entry) {
        auto const& [id, neighbour] = entry;
        return id != from && has(neighbour.homes, request.stripe) && neighbour.fanout() >= 2 &&
               now >= neighbour.distrusted_until && !is_child(id, request.stripe);
    });
}

/// The first seconds of a run.
bool Children::is_beginning(GroupNumber group) const {
    return static_cast<Duration::rep>(group.value) * node_.options.span < unsent_time;
}

void Children::on_sent(GroupNumber group, MonotonicTime now) {
    if (sent_.size() >= limits::edge_accounted_groups) sent_.erase(sent_.begin());
    ever_rooted_ |= node_.feeding;
    // What nobody has asked for yet is missed at a run's beginning alone: viewers waited for that.
    auto const unasked = is_beginning(group) ? StripeMask{0} : ~ever_rooted_;
    auto const waiting = node_.is_making_up ? node_.feeding : StripeMask{0}; // behind older ones
    sent_.push_back({group, node_.all_stripes() & (node_.feeding | unasked), now, waiting});
}

bool Children::is_heard(Child const& child, MonotonicTime now) const {
    auto const* neighbour = node_.find(child.id);
    return neighbour && now - neighbour->last_heard < doubt_adverts * node_.options.root_period();
}

/// A child is gone. What the source sent it since its last sign of life has reached nobody, unless
/// another child had it, too; one that is there already is sent it now, else the next one.
void Children::lose(NeighbourId id, StripeIndex stripe, MonotonicTime now) {
    auto const* lost = node_.find(id);
    remove(id, stripe);
    if (!node_.options.is_source() || !lost || sent_.empty()) return;
    if (node_.feeding == 0) all_lost_at_ = now;
    auto const& others = children_[stripe.value];
    for (auto& sent : sent_) {
        auto const has_it = [&](Child const& child) {
            return child.accepted <= sent.time && is_heard(child, now);
        };
        // A child needs about a span to pass a group on.
        if (sent.time + 2 * node_.options.span < lost->last_heard) continue;
        if (std::ranges::any_of(others, has_it)) continue;
        sent.stripes &= ~mask_of(stripe);
        sent.lost |= mask_of(stripe);
    }
    auto const heir = std::ranges::find_if(others, [&](auto const& child) {
        return !child.leaving_at && is_heard(child, now);
    });
    if (heir == others.end()) return;
    SubscribeMessage nothing_more{stripe, sent_.back().group};
    push_unsent(heir->id, nothing_more, now);
}

void Children::drop_silent(MonotonicTime now) {
    auto const silence = silence_adverts * node_.options.root_period() + advert_way;
    for (StripeIndex s; s.value < children_.size(); ++s) {
        auto& vacant = vacant_since_[s.value];
        if (!has(node_.feeding, s))
            vacant = vacant.value_or(now);
        else
            vacant.reset();
        for (std::size_t i = children_[s.value].size(); i-- > 0;) {
            auto const& child = children_[s.value][i];
            auto const* neighbour = node_.find(child.id);
            if (!neighbour || now - neighbour->last_heard < silence) continue;
            dismiss(child.id, s, now);
        }
    }
}

/// The source's line was cut, and who asks was there before.
bool Children::had_outage(GroupNumber since, MonotonicTime now) const {
    if (!all_lost_at_ || now - *all_lost_at_ > outage_time) return false;
    return std::ranges::any_of(sent_, [&](auto const& sent) {
        auto const age = now - sent.time;
        return sent.group >= since && age > unsent_time && age <= outage_time &&
               count(sent.stripes) < node_.options.stripes;
    });
}

/// A source without slots for one more viewer repeats nothing; but a block that reached nobody, of
/// a group that cannot be rebuilt without it, is lost to all. What went with a root is sent whether
/// or not there is enough without it, since not all that went may be known yet. After an outage
/// those who were there before it ask for more of that than a newcomer has use for, and get parity,
/// too: which of the new roots pass it on is not known yet.
void Children::push_unsent(NeighbourId to, SubscribeMessage const& request, MonotonicTime now) {
    if (sent_.empty()) return;
    auto const stripe = request.stripe;
    auto const is_after_outage = node_.is_making_up || had_outage(request.first, now);
    auto& known = node_.find(to)->stripes[stripe.value];
    if (node_.is_making_up && known.made_up_for >= most_made_up_for) return;
    StartPush none{to, stripe, {}, UINT32_MAX};
    // Of a run's beginning nobody has seen what came before.
    none.is_urgent = !is_beginning(sent_.back().group);
    none.is_unsent = true;
    auto push = none;
    for (auto& sent : sent_) {
        auto const is_asked = is_after_outage && sent.group >= request.first;
        if (now - sent.time > (is_asked ? outage_time : unsent_time)) continue;
        if (has(sent.stripes, stripe) || request.holds(sent.group)) continue;
        auto const is_enough = count(sent.stripes) >= node_.options.stripes;
        if (is_enough && !is_after_outage && !has(sent.lost, stripe)) continue;
        sent.stripes |= mask_of(stripe);
        sent.made_up |= mask_of(stripe);
        auto distance = sent.group.value - push.first.value;
        if (push.held == none.held || distance >= SubscribeMessage::groups) {
            if (push.held != none.held) node_.actions.emplace_back(push);
            push = none;
            push.first = sent.group;
            distance = 0;
        }
        push.held &= ~(1U << distance);
    }
    if (push.held == none.held) return;
    node_.actions.emplace_back(push);
    if (!is_after_outage) return;
    node_.make_up(now);
    ++known.made_up_for;
}

/// What a child asked for and is sent by way of catch-up has reached somebody.
void Children::note_repeated(SubscribeMessage const& request) {
    for (auto& sent : sent_) {
        auto const distance = sent.group.value - request.first.value;
        if (sent.group < request.first || distance >= SubscribeMessage::groups) continue;
        if (!request.holds(sent.group)) sent.stripes |= mask_of(request.stripe);
    }
}

/// A child went before all that waits for it had left: the next one is sent it.
void Children::unmake(StripeIndex stripe) {
    auto const stays = [](Child const& child) { return !child.leaving_at; };
    if (!node_.is_making_up || std::ranges::any_of(children_[stripe.value], stays)) return;
    for (auto& sent : sent_) {
        if (has(sent.made_up, stripe)) sent.stripes &= ~mask_of(stripe);
        sent.made_up &= ~mask_of(stripe);
    }
}

void Children::watch_making_up(MonotonicTime now) {
    if (!node_.is_making_up || now - *node_.making_up_since <= least_making_up) return;
    if (node_.queue >= drained_queue && node_.is_after_outage(now)) return;
    node_.is_making_up = false;
    all_lost_at_.reset();
    for (auto& sent : sent_)
        sent.made_up = 0;
    for (auto& [id, neighbour] : node_.neighbours) {
        for (auto& stripe : neighbour.stripes)
            stripe.made_up_for = 0;
    }
}

void Children::watch_source_children(MonotonicTime now) {
    if (now - watched_ < watch_period) return;
    watched_ = now;
    others_wait_ = false;
    undelivered_ = seldom_delivered_ = 0;
    std::vector<std::size_t> lacking(children_.size());
    std::vector<std::size_t> lacked(children_.size());
    std::size_t settled = 0;
    for (auto& [id, neighbour] : node_.neighbours) {
        // Who is on trial says that it has stepped back, and searches.
        if (!neighbour.has_advert || (neighbour.is_stepped_back && !neighbour.is_searching))
            continue;
        auto const is_fed = count(neighbour.flowing) >= node_.options.stripes;
        auto const has_looked = now - neighbour.entered >= spans(looking_spans);
        if (neighbour.is_searching && has_looked && !is_fed && slots_of(id) == 0)
            others_wait_ = true;
        if (now - neighbour.entered < spans(settled_spans)) continue;
        ++settled;
        auto const usual = middle_age(neighbour);
        auto const late_by = std::max<Duration>(held_back, spans(held_spans));
        for (StripeIndex s; s.value < children_.size(); ++s) {
            auto const is_late = usual && neighbour.claim(s).age > *usual + late_by;
            auto& lacked_at = neighbour.stripes[s.value].lacked_at;
            if (!has(neighbour.flowing, s) || is_late) lacked_at = now;
            lacking[s.value] += lacked_at == now ? 1U : 0U;
            lacked[s.value] += now - lacked_at < lack_memory ? 1U : 0U;
        }
    }
    for (StripeIndex s; s.value < children_.size(); ++s) {
        auto const is_most = [&](std::size_t some) { return some > 0 && 2 * some >= settled; };
        if (is_most(lacking[s.value])) undelivered_ |= mask_of(s);
        if (is_most(lacked[s.value])) seldom_delivered_ |= mask_of(s);
    }
}

} // namespace minuteswarm
