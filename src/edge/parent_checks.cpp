#include "edge/parents.hpp"

// When a parent is left, and what its failure is worth.

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds suspicion{100};        // beside two spans without a block
constexpr milliseconds answer_time{400};      // of a neighbour to one that searches
constexpr milliseconds unrooted_limit{3000};  // then even a fed stripe is given up
constexpr seconds stalled_limit{4};           // then even a living parent is
constexpr milliseconds luxury_patience{2500}; // flowing is claimed for 1.5 s and told in one
constexpr seconds lost_memory{4};             // then no path of before is told any more
constexpr std::size_t most_lost = 16;
constexpr seconds longest_distrust{60};
constexpr int most_failures = 5; // 2 s doubled so often is the longest distrust
constexpr seconds most_bias{8};
constexpr milliseconds proof_time{3000}; // of blocks, from one that is worth another try
constexpr milliseconds trusted{1000};    // after accept, until the first block

} // namespace

void Parents::fail(NeighbourId id, StripeIndex stripe, MonotonicTime now) {
    auto* neighbour = node_.find(id);
    if (!neighbour) return;
    neighbour->stripes[stripe.value].retry_at =
        now + node_.random_time(milliseconds{2000}, milliseconds{3000});
    auto const still_feeds = std::any_of(feeds_.begin(), feeds_.end(), [&](auto const& feed) {
        return feed.parent == id && feed.has_block &&
               now - feed.last_block < trusted + 2 * node_.options.span;
    });
    if (still_feeds || now < neighbour->distrusted_until) return;
    neighbour->failures = std::min(neighbour->failures + 1, most_failures);
    neighbour->distrusted_until =
        now + std::min<Duration>(seconds{1 << neighbour->failures}, longest_distrust);
}

void Parents::note_lost(NeighbourId id, MonotonicTime now) {
    auto const* neighbour = node_.find(id);
    if (!neighbour || neighbour->peer.is_source) return; // every path leads through it
    std::erase_if(lost_, [&](auto const& lost) { return now - lost.second > lost_memory; });
    if (lost_.size() >= most_lost) lost_.erase(lost_.begin());
    lost_.emplace_back(neighbour->peer.node, now);
}

bool Parents::leads_through_lost(NodePath const& path, MonotonicTime now) const {
    return std::any_of(lost_.begin(), lost_.end(), [&](auto const& lost) {
        return now - lost.second <= lost_memory && path.contains(lost.first);
    });
}

bool Parents::others_advance(Feed const& feed, MonotonicTime now) const {
    if (!node_.newest) return false;
    if (feed.has_block && *node_.newest > feed.newest + 1) return true;
    if (!feed.has_block && node_.newest_at > feed.accepted) return true;
    // Nothing comes at all: two neighbours that have more say that it is not the source.
    std::size_t ahead = 0;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (neighbour.has_advert && neighbour.newest > *node_.newest + 1 &&
            now - neighbour.last_advert < seconds{4}) {
            ++ahead;
        }
    }
    return ahead >= std::min<std::size_t>(2, node_.neighbours.size());
}

/// While nothing comes at all it is not the parent that keeps it.
Duration Parents::silence(Feed const& feed, MonotonicTime now) const {
    return now - std::max(feed.last_block, node_.resumed_at);
}

bool Parents::is_suspect(Feed const& feed, MonotonicTime now) const {
    return feed.parent && feed.has_block &&
           silence(feed, now) > 2 * node_.options.span + suspicion && others_advance(feed, now);
}

/// Who lives answers one that searches; of who was not asked silence says nothing.
bool Parents::is_dead(NeighbourId id, MonotonicTime now) const {
    auto const* neighbour = node_.find(id);
    if (!neighbour) return true;
    auto const answer = answer_time + 4 * neighbour->peer.delay;
    auto const asked = std::max(neighbour->last_heard, node_.searching_since);
    return node_.is_searching && now - asked > answer;
}

bool Parents::is_stalled(Feed const& feed, MonotonicTime now) const {
    auto const span = node_.options.span;
    if (!feed.has_block) {
        auto const first = 2 * span + milliseconds{500};
        return silence(feed, now) > first && (!node_.newest || others_advance(feed, now));
    }
    auto const asked_long_enough = 2 * span + suspicion + answer_time;
    if (silence(feed, now) > asked_long_enough && is_dead(*feed.parent, now)) {
        return others_advance(feed, now);
    }
    // Staggered, so that the topmost node below the loss looks around first.
    auto const hops = static_cast<int>(std::min<std::size_t>(feed.path.size(), 8));
    auto const patience = 3 * span + milliseconds{400} + milliseconds{120} * hops;
    return silence(feed, now) > patience && others_advance(feed, now);
}

/// A parent that lives is looking for one itself, and its place in the tree is worth more than a
/// scramble of all below it: whoever leaves it at once is soon under others that look.
bool Parents::may_recover(Feed const& feed, MonotonicTime now) const {
    return node_.options.has_many_stripes() && feed.has_block && !is_dead(*feed.parent, now) &&
           silence(feed, now) < stalled_limit;
}

bool Parents::brought_little(Feed const& feed, MonotonicTime now) const {
    return !feed.has_block || feed.last_block - feed.accepted < proof_time ||
           is_dead(*feed.parent, now);
}

void Parents::blame_parent(Feed const& feed, MonotonicTime now) {
    auto* neighbour = node_.find(*feed.parent);
    if (!neighbour) return;
    auto const late = silence(feed, now);
    neighbour->bias = std::min<Duration>(std::max(neighbour->bias, Duration{}) + late, most_bias);
}

void Parents::check_parent(StripeIndex stripe, MonotonicTime now) {
    auto& feed = feeds_[stripe.value];
    if (!feed.parent) return;
    auto const stalled = is_stalled(feed, now);
    auto const unrooted = feed.unrooted_since ? now - *feed.unrooted_since : Duration{};
    if (!stalled) feed.stalled_since.reset();
    if (stalled && !feed.stalled_since) feed.stalled_since = now;
    if (stalled && !may_recover(feed, now)) {
        auto const parent = *feed.parent;
        auto const is_useless = brought_little(feed, now);
        if (is_dead(parent, now)) note_lost(parent, now);
        blame_parent(feed, now);
        leave(stripe, node_.random_time(seconds{2}, seconds{3}), now);
        if (is_useless) fail(parent, stripe, now);
    } else if (unrooted > unrooted_limit) {
        leave(stripe, node_.random_time(seconds{2}, seconds{3}), now);
    } else {
        // Who has enough waits until all have heard which part of the tree is lost.
        auto const can_wait = is_mere_luxury(stripe) && silence(feed, now) < luxury_patience;
        feed.needs_another =
            (stalled && !can_wait) || (feed.unrooted_since && unrooted > feed.unrooted_patience);
    }
}

void Parents::check_asked(StripeIndex stripe, MonotonicTime now) {
    auto& feed = feeds_[stripe.value];
    // The new one is believed when it has brought something.
    auto const is_replaced = feed.former && feed.has_block && now >= feed.former_until;
    if (is_replaced && !awaits_rest(feed, stripe, now)) stop_former(feed, stripe);
    if (!feed.asked || now < feed.asked_until) return;
    auto const silent = *std::exchange(feed.asked, std::nullopt);
    // The answer may only be late: take the request back.
    node_.send(silent, UnsubscribeMessage{stripe});
    fail(silent, stripe, now);
}

} // namespace minuteswarm
