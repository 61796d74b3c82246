#include "edge/parents.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds overlap{300};    // old and new parent both send
constexpr seconds longest_rest{3};      // or so long after an outage, while the old one is behind
constexpr milliseconds rest_pause{500}; // or two spans, between blocks of that
constexpr milliseconds trusted{1000};   // after accept, until the first block
constexpr milliseconds loop_back_off{2000}; // its path will not change sooner
constexpr milliseconds adopt_wait{1200};    // for the link to the successor
constexpr milliseconds adopt_again{50};
constexpr milliseconds proof_time{3000}; // of blocks: then what it failed in is forgotten
constexpr milliseconds look_for_source_after{100};

} // namespace

Parents::Parents(EdgeNode& node, GroupWindow const& groups, MonotonicTime start)
    : node_(node)
    , groups_(groups)
    , feeds_(node.options.total())
    , next_switch_(start + seconds{2}) {
    for (auto& feed : feeds_)
        feed.orphan_since = start;
}

bool Parents::wants(StripeIndex stripe) const {
    if (node_.options.is_source()) return false;
    return !node_.is_stepped_back || has(node_.homes, stripe);
}

bool Parents::is_rooted(StripeIndex stripe) const {
    if (node_.options.is_source()) return true;
    auto const& feed = feeds_[stripe.value];
    return feed.parent && leads_to_source(feed.path);
}

/// And can be told to children: one that is full only ever makes leaves.
bool Parents::leads_to_source(NodePath const& path) const {
    return path.starts_at(node_.options.source) && !path.is_full();
}

bool Parents::is_flowing(StripeIndex stripe, MonotonicTime now) const {
    if (node_.options.is_source()) return true;
    auto const& feed = feeds_[stripe.value];
    if (!is_rooted(stripe)) return false;
    auto const patience = trusted + 2 * node_.options.span;
    if (feed.has_block) return now - feed.last_block < patience;
    // Parity leaves last: a parent that has no uplink to spare sends none. The former one may.
    auto const is_data = stripe.value < node_.options.stripes;
    return (is_data && now - feed.accepted < trusted) ||
           (!is_data && feed.former && now - feed.former_at < patience);
}

NodePath Parents::path(StripeIndex stripe) const {
    NodePath path;
    if (!node_.options.is_source() && feeds_[stripe.value].parent) path = feeds_[stripe.value].path;
    if (!path.append(node_.options.self)) {
        path.clear(); // too deep to be told: nobody is to join below
        path.append(node_.options.self);
    }
    return path;
}

bool Parents::is_above(NeighbourId id, StripeIndex stripe) const {
    auto const& feed = feeds_[stripe.value];
    return feed.parent == id || feed.asked == id;
}

bool Parents::may_send(NeighbourId id, StripeIndex stripe) const {
    return is_above(id, stripe) || feeds_[stripe.value].former == id;
}

bool Parents::is_any_parent(NeighbourId id) const {
    return std::any_of(feeds_.begin(), feeds_.end(), [&](auto const& feed) {
        return feed.parent == id || feed.asked == id || feed.former == id;
    });
}

/// Neither this node nor a child misses it.
bool Parents::is_mere_luxury(StripeIndex stripe) const {
    auto const is_leaf = !has(node_.feeding | node_.homes, stripe);
    return is_leaf && node_.is_luxury(stripe, node_.flowing & ~suspect_);
}

bool Parents::lacks_urgently() const {
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        if (!wants(s) || (feeds_[s.value].parent && !has(suspect_, s))) continue;
        if (!is_mere_luxury(s)) return true;
    }
    return false;
}

bool Parents::has_homeless_home(MonotonicTime now) const {
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        auto const& feed = feeds_[s.value];
        auto const is_lost = !feed.parent && now - feed.orphan_since > look_for_source_after;
        if (has(node_.homes, s) && is_lost) return true;
    }
    return false;
}

Duration Parents::without_candidate(MonotonicTime now) const {
    Duration longest{};
    for (auto const& feed : feeds_) {
        if (feed.no_candidate_since) longest = std::max(longest, now - *feed.no_candidate_since);
    }
    return longest;
}

Duration Parents::without_parent(MonotonicTime now) const {
    Duration longest{};
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        auto const& feed = feeds_[s.value];
        if (feed.parent || !wants(s) || is_mere_luxury(s)) continue;
        longest = std::max(longest, now - std::max(feed.orphan_since, feed.luxury_until));
    }
    return longest;
}

void Parents::refresh(MonotonicTime now) {
    node_.flowing = 0;
    suspect_ = 0;
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        if (is_flowing(s, now)) node_.flowing |= mask_of(s);
        if (is_suspect(feeds_[s.value], now)) suspect_ |= mask_of(s);
    }
}

void Parents::orphan(StripeIndex stripe, MonotonicTime now) {
    auto& feed = feeds_[stripe.value];
    feed.parent.reset();
    feed.unrooted_since.reset();
    feed.stalled_since.reset();
    feed.needs_another = false;
    feed.path.clear();
    feed.orphan_since = now;
    feed.retry_at = now;
    if (feed.former) { // still sends, and may be kept
        feed.parent = std::exchange(feed.former, std::nullopt);
        feed.path = feed.former_path;
        // One that had stalled is to be replaced all the same.
        feed.has_block = feed.former_last_block.has_value();
        feed.accepted = feed.last_block = feed.former_last_block.value_or(now);
    }
}

void Parents::leave(StripeIndex stripe, Duration back_off, MonotonicTime now) {
    auto const parent = feeds_[stripe.value].parent;
    if (!parent) return;
    node_.send(*parent, UnsubscribeMessage{stripe});
    if (auto* neighbour = node_.find(*parent)) {
        neighbour->stripes[stripe.value].retry_at = now + back_off;
    }
    orphan(stripe, now);
}

void Parents::stop_former(Feed& feed, StripeIndex stripe) {
    if (!feed.former) return;
    node_.send(*feed.former, UnsubscribeMessage{stripe});
    feed.former.reset();
}

/// What it had yet to send when it lost its place the new one does not: it may have been behind.
bool Parents::awaits_rest(Feed const& feed, StripeIndex stripe, MonotonicTime now) const {
    if (!node_.is_after_outage(now) || now - feed.accepted > longest_rest) return false;
    if (now - feed.former_at > std::max<Duration>(rest_pause, 2 * node_.options.span)) return false;
    auto const held_account =
        feed.newest.value - std::min(feed.newest.value, limits::edge_accounted_groups);
    GroupNumber group{std::max(feed.former_newest.value, held_account) + 1};
    for (; group < feed.newest; ++group) {
        if (!groups_.is_rebuilt(group) && !has(groups_.held(group), stripe)) return true;
    }
    return false;
}

void Parents::on_accept(NeighbourId from, AcceptMessage const& message, MonotonicTime now) {
    if (message.stripe.value >= feeds_.size()) return;
    auto& feed = feeds_[message.stripe.value];
    auto* neighbour = node_.find(from);
    if (feed.asked != from || !neighbour || !wants(message.stripe)) {
        if (feed.parent != from) node_.send(from, UnsubscribeMessage{message.stripe});
        return;
    }
    feed.asked.reset();
    // As of a block: who leaves itself out could go round in a circle with those below it.
    auto const is_whole = message.path.ends_at(neighbour->peer.node);
    if (!is_whole || message.path.contains(node_.options.self) ||
        leads_through_lost(message.path, now)) {
        node_.send(from, UnsubscribeMessage{message.stripe});
        neighbour->stripes[message.stripe.value].retry_at = now + loop_back_off;
        return;
    }
    auto const missed_since =
        feed.parent ? feed.stalled_since
                    : (feed.had_parent ? std::optional{feed.orphan_since} : std::nullopt);
    if (missed_since && !is_mere_luxury(message.stripe))
        reattached_.push_back(now - std::max(*missed_since, feed.luxury_until));
    if (feed.parent) {
        auto const is_useless = feed.stalled_since && brought_little(feed, now);
        if (feed.stalled_since) blame_parent(feed, now);
        stop_former(feed, message.stripe);
        feed.former = std::exchange(feed.parent, std::nullopt);
        feed.former_until = now + overlap;
        feed.former_path = feed.path;
        feed.former_newest = feed.newest;
        feed.former_at = feed.last_block;
        feed.former_last_block = feed.stalled_since ? std::optional{feed.last_block} : std::nullopt;
        if (is_useless) fail(*feed.former, message.stripe, now);
    }
    feed.parent = from;
    feed.had_parent = true;
    feed.accepted = now;
    feed.last_block = now;
    feed.has_block = false;
    feed.live_from = groups_.is_empty() ? GroupNumber{} : groups_.newest().next();
    feed.path = message.path;
    feed.age = neighbour->claim(message.stripe).age + neighbour->peer.delay;
    feed.unrooted_since.reset();
    feed.stalled_since.reset();
    feed.needs_another = false;
    feed.no_candidate_since.reset();
    // A root's subtree is everybody: it has to take children, and to be known for it.
    if (neighbour->peer.is_source && node_.has_room) node_.homes |= mask_of(message.stripe);
    feed.displaced = message.preempted;
    feed.successor = {};
    refresh(now);
}

void Parents::on_reject(NeighbourId from, RejectMessage const& message, MonotonicTime now) {
    if (message.stripe.value >= feeds_.size()) return;
    auto& feed = feeds_[message.stripe.value];
    auto* neighbour = node_.find(from);
    if (feed.asked != from || !neighbour) return;
    feed.asked.reset();
    Duration back_off = node_.random_time(milliseconds{400}, milliseconds{800});
    // A successor may not have heard yet that it took this node's place.
    auto const is_adoption = awaits_adoption(feed, now) && feed.successor == neighbour->peer.node;
    if (is_adoption) feed.retry_at = now + adopt_again;
    if (message.reason == RejectMessage::Reason::loop) back_off = loop_back_off;
    neighbour->stripes[message.stripe.value].retry_at = now + back_off;
}

void Parents::on_preempt(NeighbourId from, PreemptMessage const& message, MonotonicTime now) {
    if (message.stripe.value >= feeds_.size()) return;
    auto& feed = feeds_[message.stripe.value];
    auto* neighbour = node_.find(from);
    if (feed.former == from) feed.former.reset();
    if (feed.parent != from || !neighbour) return;
    neighbour->stripes[message.stripe.value].retry_at =
        now + node_.random_time(milliseconds{400}, milliseconds{800});
    // Its blocks still come for a moment, but do not keep this node from looking around.
    orphan(message.stripe, now);
    if (message.successor.value == 0 || message.successor == node_.options.self) return;
    feed.successor = message.successor;
    feed.successor_until = now + adopt_wait;
    if (!ask_successor(message.stripe, now)) node_.actions.emplace_back(OpenLink{0, message});
}

void Parents::on_entered(NeighbourId id, MonotonicTime now) {
    auto const* neighbour = node_.find(id);
    if (!neighbour || neighbour->peer.node.value == 0) return;
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        auto& feed = feeds_[s.value];
        if (feed.successor != neighbour->peer.node || !awaits_adoption(feed, now)) continue;
        if (feed.parent || feed.asked || !wants(s)) continue;
        auto adopt = request(s, {});
        adopt.is_adopt = true;
        ask(id, s, adopt, now);
    }
}

bool Parents::awaits_adoption(Feed const& feed, MonotonicTime now) const {
    return feed.successor.value != 0 && now < feed.successor_until;
}

/// Who took this node's place is to take it as a child; false: it is no neighbour.
bool Parents::ask_successor(StripeIndex stripe, MonotonicTime now) {
    auto const successor = feeds_[stripe.value].successor;
    for (auto const& [id, other] : node_.neighbours) {
        if (other.peer.node != successor) continue;
        on_entered(id, now);
        return true;
    }
    return false;
}

void Parents::on_left(NeighbourId id, MonotonicTime now) {
    if (std::any_of(feeds_.begin(), feeds_.end(), [&](auto const& f) { return f.parent == id; })) {
        note_lost(id, now);
    }
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        auto& feed = feeds_[s.value];
        if (feed.asked == id) feed.asked.reset();
        if (feed.former == id) feed.former.reset();
        if (feed.parent == id) orphan(s, now);
    }
    refresh(now);
}

void Parents::note_age(
    Feed& feed, Acquaintance& parent, BlockArrival const& block, MonotonicTime now
) {
    if (feed.has_block && block.group < feed.live_from) return;
    // Whatever it says: others had some of the group before.
    auto const seen = groups_.seen(block.group);
    auto const age = std::max(block.age, seen ? now - *seen : Duration{});
    if (block.group >= feed.live_from) {
        auto const late = age - parent.claim(block.stripe).age - parent.peer.delay;
        parent.bias += (late - parent.bias) / 4;
    }
    feed.age = feed.has_block ? (feed.age * 4 + age) / 5 : age;
}

void Parents::on_block(BlockArrival const& block, MonotonicTime now) {
    if (block.stripe.value >= feeds_.size()) return;
    auto& feed = feeds_[block.stripe.value];
    if (feed.former == block.from && block.group > feed.former_newest) {
        feed.former_newest = block.group;
        feed.former_at = now;
    }
    if (feed.parent != block.from) return;
    if (block.path.contains(node_.options.self)) {
        leave(block.stripe, loop_back_off, now);
        return refresh(now);
    }
    auto const is_progress = !feed.has_block || block.group > feed.newest;
    if (!is_progress) return;
    if (auto* neighbour = node_.find(block.from)) {
        note_age(feed, *neighbour, block, now);
        if (now - feed.accepted > proof_time) neighbour->failures = 0;
    }
    feed.has_block = true;
    feed.last_block = now;
    feed.newest = block.group;
    feed.path = block.path;
    if (leads_to_source(feed.path)) {
        feed.unrooted_since.reset();
    } else if (!feed.unrooted_since) {
        feed.unrooted_since = now;
        feed.unrooted_patience = node_.random_time(milliseconds{300}, milliseconds{700});
    }
}

void Parents::tick(MonotonicTime now) {
    if (node_.options.is_source()) {
        node_.flowing = node_.all_stripes();
        return;
    }
    for (StripeIndex s; s.value < feeds_.size(); ++s) {
        check_asked(s, now);
        if (!wants(s)) {
            stop_former(feeds_[s.value], s);
            leave(s, {}, now);
            feeds_[s.value].no_candidate_since.reset();
            feeds_[s.value].had_parent = false;
            continue;
        }
        check_parent(s, now);
    }
    refresh(now);
    std::vector<StripeIndex> order;
    for (StripeIndex s; s.value < feeds_.size(); ++s)
        order.push_back(s);
    std::shuffle(order.begin(), order.end(), node_.random);
    std::stable_partition(order.begin(), order.end(), [&](auto s) { return has(node_.homes, s); });
    for (auto const s : order) {
        if (!wants(s)) continue;
        if (is_mere_luxury(s)) feeds_[s.value].luxury_until = now;
        search(s, now);
        take_root(s, now);
    }
    consider_switch(now);
}

} // namespace minuteswarm
