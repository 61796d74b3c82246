#include "edge/repair.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds usual_period{500};  // or two spans
constexpr milliseconds pause{250};         // when one that was asked has nothing; or a span
constexpr milliseconds after{1200};        // or 1.6 times what this node's groups usually take
constexpr milliseconds hurried_after{300}; // of one that cannot begin to play, or lacks a parent
constexpr milliseconds asking_time{600};   // before a block is due
constexpr milliseconds least_after{300};
constexpr milliseconds answer_time{400}; // of one that has blocks of its own to send
constexpr seconds silent_pause{3};       // of one that was asked, and neither sent nor said no
constexpr seconds until{6};
constexpr seconds beyond_start{1}; // further back than a start, bytes are due before they come
constexpr unsigned most_tries = 8;
constexpr unsigned most_guesses = 3;

} // namespace

Repair::Repair(
    EdgeNode& node, GroupWindow const& groups, CatchUp const& catch_up, MonotonicTime start
)
    : node_(node)
    , groups_(groups)
    , catch_up_(catch_up)
    , next_(start + usual_period) {}

/// Played so soon after it was made that waiting as usual is waiting too long.
bool Repair::is_pressed() const {
    auto const back = node_.options.start_back;
    return back > Duration{} && back < after + asking_time;
}

Duration Repair::period(MonotonicTime now) const {
    auto const span = node_.options.span;
    return is_pressed() || now < node_.hurries_until ? span
                                                     : std::max<Duration>(usual_period, 2 * span);
}

/// Whether its blocks have taken longer than they may.
bool Repair::is_overdue(GroupWindow::Missing const& missing, MonotonicTime now) const {
    // What no parent brings does not come by itself.
    auto const is_short = count(missing.held | node_.flowing) < node_.options.stripes;
    auto most = is_short || now < node_.hurries_until
                    ? Duration{hurried_after}
                    : std::max<Duration>(after, groups_.typical_lag() * 8 / 5);
    // Where all blocks come late, others may have them sooner.
    if (auto const back = node_.options.start_back; back > Duration{})
        most = std::min(most, back - asking_time - (missing.seen - missing.made));
    return now - missing.seen >= std::max<Duration>(most, least_after);
}

void Repair::on_missing(NeighbourId from, GroupNumber group, MonotonicTime now) {
    auto const soon = now + std::max<Duration>(pause, node_.options.span);
    auto const asked = asked_.find(group);
    if (asked != asked_.end()) {
        asked->second.again = std::min(asked->second.again, soon);
        asked->second.last.erase(from);
    }
    next_ = std::min(next_, soon);
}

bool Repair::is_of_use(GroupWindow::Missing const& missing, MonotonicTime now) const {
    auto const back = node_.options.start_back;
    return back <= Duration{} || now - missing.made <= back + beyond_start;
}

/// One of them; who did not answer lately only if there is nobody else.
NeighbourId Repair::pick(std::vector<NeighbourId> of, MonotonicTime now) {
    auto const silent = std::ranges::stable_partition(of, [&](auto id) {
        return now >= node_.find(id)->silent_until;
    });
    if (silent.size() < of.size()) of.erase(silent.begin(), silent.end());
    return of[node_.random() % of.size()];
}

template <class Predicate>
std::optional<NeighbourId> Repair::pick_if(Predicate const& holds, MonotonicTime now) {
    std::vector<NeighbourId> found;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (neighbour.peer.is_source || !neighbour.has_advert) continue;
        if (now >= neighbour.ask_again && holds(neighbour)) found.push_back(id);
    }
    return found.empty() ? std::nullopt : std::optional{pick(std::move(found), now)};
}

/// All blocks of one that says to have the group as a whole.
Repair::Wanted Repair::of_whole(GroupNumber group, StripeMask lacking, MonotonicTime now) {
    auto const holder = pick_if([&](auto const& one) { return one.rebuilt >= group; }, now);
    return holder ? Wanted{{*holder, lacking}} : Wanted{};
}

/// Each block of one that gets its stripe, and has gone on since the group: it has the block,
/// unless that never came.
Repair::Wanted Repair::guess(GroupNumber group, StripeMask lacking, MonotonicTime now) {
    Wanted wanted;
    for (StripeIndex s; s.value < node_.options.total(); ++s) {
        if (!has(lacking, s)) continue;
        auto const may_hold = [&](Acquaintance const& one) {
            auto const& claim = one.claim(s);
            return claim.is_flowing && node_.expected_newest(one, now) > group + claim.behind;
        };
        if (auto const holder = pick_if(may_hold, now)) wanted[*holder] |= mask_of(s);
    }
    return wanted;
}

void Repair::tick(MonotonicTime now) {
    if (now < next_ || node_.options.is_source() || node_.is_stepped_back) return;
    next_ = now + period(now);
    auto const missing = groups_.missing(now, least_after, until, node_.options.span);
    asked_.erase(
        asked_.begin(), missing.empty() ? asked_.end() : asked_.lower_bound(missing.front().group)
    );
    auto const before = node_.actions.size();
    for (auto const& one : missing) {
        if (node_.actions.size() - before >= limits::edge_wants) return;
        auto const asked = asked_.find(one.group);
        auto const is_known = asked != asked_.end();
        if (is_known && (asked->second.tries >= most_tries || now < asked->second.again)) continue;
        if (catch_up_.is_awaiting(one.group, now)) continue;
        if (is_overdue(one, now) && is_of_use(one, now)) ask(one, now);
    }
}

/// A claim costs nothing: who does not answer comes last for a while, or it could take all tries.
void Repair::note_silent(Asked const& asked, StripeMask held, MonotonicTime now) {
    for (auto const& [holder, stripes] : asked.last) {
        auto* neighbour = node_.find(holder);
        if (neighbour && (stripes & ~held) != 0) neighbour->silent_until = now + silent_pause;
    }
}

/// For as many blocks as rebuild it.
void Repair::ask(GroupWindow::Missing const& missing, MonotonicTime now) {
    auto const there = std::min<std::size_t>(count(missing.held), node_.options.stripes);
    StripeMask lacking = 0;
    for (StripeIndex s; s.value < node_.options.total(); ++s) {
        if (has(missing.held, s) || count(lacking) + there >= node_.options.stripes) continue;
        lacking |= mask_of(s);
    }
    if (lacking == 0) return; // it is here, and was not to be rebuilt
    auto& asked = asked_[missing.group];
    note_silent(asked, missing.held, now);
    asked.last = of_whole(missing.group, lacking, now);
    auto const is_guess = asked.last.empty();
    if (is_guess && asked.guesses < most_guesses) asked.last = guess(missing.group, lacking, now);
    if (asked.last.empty()) return;
    asked.again = now + std::max<Duration>(period(now), answer_time) * (1 + asked.tries / 2);
    ++(is_guess ? asked.guesses : asked.tries);
    for (auto const& [holder, stripes] : asked.last)
        node_.actions.emplace_back(WantBlocks{holder, missing.group, stripes});
}

} // namespace minuteswarm
