#include "edge/repair.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds usual_period{500};  // or two spans
constexpr milliseconds pause{250};         // when one that was asked has nothing; or a span
constexpr milliseconds after{1200};        // or 1.6 times what this node's groups usually take
constexpr milliseconds hurried_after{600}; // of one that cannot begin to play
constexpr milliseconds asking_time{600};   // before a block is due, where latency is short
constexpr milliseconds least_after{300};
constexpr milliseconds answer_time{400}; // of one that has blocks of its own to send
constexpr seconds until{6};
constexpr seconds beyond_start{1}; // further back than a start, bytes are due before they come
constexpr unsigned most_tries = 8;

} // namespace

Repair::Repair(EdgeNode& node, GroupWindow const& groups, MonotonicTime start)
    : node_(node)
    , groups_(groups)
    , next_(start + usual_period) {}

/// Played so soon after it was made that waiting as usual is waiting too long.
bool Repair::is_pressed() const {
    auto const back = node_.options.start_back;
    return back > Duration{} && back < after + asking_time;
}

Duration Repair::period() const {
    auto const span = node_.options.span;
    return is_pressed() ? span : std::max<Duration>(usual_period, 2 * span);
}

/// How long a group's blocks may take.
Duration Repair::wait(MonotonicTime now) const {
    auto const back = node_.options.start_back;
    auto const most = is_pressed() ? std::max<Duration>(least_after, back - asking_time) : after;
    if (now < node_.hurries_until) return std::min<Duration>(most, hurried_after);
    return std::max<Duration>(most, groups_.typical_lag() * 8 / 5);
}

void Repair::on_missing(GroupNumber group, MonotonicTime now) {
    auto const soon = now + std::max<Duration>(pause, node_.options.span);
    auto const asked = asked_.find(group);
    if (asked != asked_.end()) asked->second.again = std::min(asked->second.again, soon);
    next_ = std::min(next_, soon);
}

bool Repair::is_of_use(GroupWindow::Missing const& missing, MonotonicTime now) const {
    auto const back = node_.options.start_back;
    return back <= Duration{} || now - missing.made <= back + beyond_start;
}

std::optional<NeighbourId> Repair::choose_holder(GroupNumber group, MonotonicTime now) {
    std::vector<NeighbourId> holders;
    std::vector<NeighbourId> fed;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (neighbour.peer.is_source || !neighbour.has_advert) continue;
        if (!neighbour.may_be_asked(now)) continue;
        if (neighbour.rebuilt >= group) holders.push_back(id);
        if (count(neighbour.flowing) >= node_.options.stripes) fed.push_back(id);
    }
    // One that lacks an older group cannot say that it has this one.
    if (holders.empty()) holders = std::move(fed);
    if (holders.empty()) return std::nullopt;
    return holders[node_.random() % holders.size()];
}

void Repair::tick(MonotonicTime now) {
    if (now < next_ || node_.options.is_source() || node_.is_stepped_back) return;
    next_ = now + period();
    auto const missing = groups_.missing(now, wait(now), until, node_.options.span);
    asked_.erase(
        asked_.begin(), missing.empty() ? asked_.end() : asked_.lower_bound(missing.front().group)
    );
    auto const before = node_.actions.size();
    for (auto const& one : missing) {
        if (node_.actions.size() - before >= limits::edge_wants) return;
        auto const asked = asked_.find(one.group);
        auto const is_known = asked != asked_.end();
        if (is_known && (asked->second.tries >= most_tries || now < asked->second.again)) continue;
        if (!is_of_use(one, now)) continue;
        if (auto const holder = choose_holder(one.group, now)) ask(one, *holder, now);
    }
}

/// For as many blocks as rebuild it.
void Repair::ask(GroupWindow::Missing const& missing, NeighbourId holder, MonotonicTime now) {
    auto const there = std::min<std::size_t>(count(missing.held), node_.options.stripes);
    auto lacking = node_.options.stripes - there;
    StripeMask wanted = 0;
    for (StripeIndex s; s.value < node_.options.total() && lacking > 0; ++s) {
        if (has(missing.held, s)) continue;
        wanted |= mask_of(s);
        --lacking;
    }
    auto& asked = asked_[missing.group];
    asked.again = now + std::max<Duration>(period(), answer_time) * (1 + asked.tries / 2);
    ++asked.tries;
    node_.actions.emplace_back(WantBlocks{holder, missing.group, wanted});
}

} // namespace minuteswarm
