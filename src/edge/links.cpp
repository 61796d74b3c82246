#include "edge/links.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds period{700};
constexpr seconds trial{5};          // of a new link
constexpr seconds longest_pause{10}; // when there is nobody new
constexpr milliseconds nobody_to_ask{600};
constexpr seconds refused_by_all{2};
constexpr seconds any_period{1};
constexpr seconds absent_period{2}; // of one that has stepped back, and longer each time
constexpr seconds longest_source_pause{30};
constexpr seconds least_silence{4};
constexpr seconds narrow_silence{
    15}; // of few stripes: whoever has many neighbours tells each seldom

} // namespace

Links::Links(EdgeNode& node, Parents const& parents, Children const& children, MonotonicTime start)
    : node_(node)
    , parents_(parents)
    , children_(children)
    , next_(start + period)
    , open_pause_(period)
    , source_pause_(any_period) {}

StripeMask Links::lacking_homes() const {
    StripeMask lacking = 0;
    StripeMask lacking_own = 0;
    for (StripeIndex s; s.value < node_.options.total(); ++s) {
        std::size_t known = 0;
        for (auto const& [id, neighbour] : node_.neighbours)
            known += has(neighbour.homes, s) && !neighbour.peer.is_source ? 1U : 0U;
        auto const is_own = has(node_.homes, s);
        if (known < (is_own ? wanted_own_homes : wanted_other_homes)) {
            (is_own ? lacking_own : lacking) |= mask_of(s);
        }
    }
    return lacking != 0 ? lacking : lacking_own;
}

void Links::open_to_source(MonotonicTime now) {
    if (!parents_.has_homeless_home(now)) {
        // Whoever loses a parent now and then has not been well for long enough to begin anew.
        if (now - homeless_at_ >= source_pause_) source_pause_ = any_period;
        return;
    }
    homeless_at_ = now;
    if (now < next_source_) return;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (neighbour.peer.is_source) return;
    }
    // It may be full, and all others may be at its door as well.
    next_source_ = now + node_.random_time(source_pause_, source_pause_ * 3 / 2);
    source_pause_ = std::min<Duration>(2 * source_pause_, longest_source_pause);
    PreemptMessage source;
    source.successor = node_.options.source;
    node_.actions.emplace_back(OpenLink{0, source});
}

void Links::open(MonotonicTime now) {
    auto const most = link_room(node_.options, node_.slots).most;
    if (node_.neighbours.size() >= most + limits::edge_directed_links) return;
    // Those who came together know each other, and not those with slots to spare.
    auto const is_stuck = node_.is_stepped_back ||
                          parents_.without_candidate(now) > nobody_to_ask ||
                          parents_.without_parent(now) > refused_by_all;
    if (!node_.is_stepped_back) absent_pause_ = absent_period;
    if (is_stuck && now >= next_any_) {
        next_any_ = now + (node_.is_stepped_back ? absent_pause_ : any_period);
        absent_pause_ = std::min<Duration>(2 * absent_pause_, longest_pause);
        node_.actions.emplace_back(OpenLink{});
    }
    if (now < next_open_) return;
    auto const wanted = lacking_homes();
    if (wanted == 0) return;
    // In a small swarm everybody is here already.
    auto const came_some = node_.neighbours.size() != seen_;
    seen_ = node_.neighbours.size();
    open_pause_ = came_some ? Duration{period} : std::min<Duration>(open_pause_ * 2, longest_pause);
    next_open_ = now + open_pause_;
    node_.actions.emplace_back(OpenLink{wanted, {}});
}

bool Links::is_needed(NeighbourId id, Acquaintance const& neighbour) const {
    auto const is_own_home = (neighbour.homes & node_.homes) != 0 && !node_.options.is_source();
    if (neighbour.peer.is_source || is_own_home) return true;
    if (parents_.is_any_parent(id) || children_.is_any_child(id)) return true;
    for (StripeIndex s; s.value < node_.options.total(); ++s) {
        if (!has(neighbour.homes, s)) continue;
        std::size_t known = 0;
        for (auto const& [other, peer] : node_.neighbours)
            known += has(peer.homes, s) ? 1U : 0U;
        if (known <= wanted_other_homes) return true;
    }
    return false;
}

void Links::close(MonotonicTime now) {
    if (node_.neighbours.size() <= link_room(node_.options, node_.slots).kept) return;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (now - neighbour.entered < trial || is_needed(id, neighbour)) continue;
        node_.actions.emplace_back(CloseLink{id});
        return;
    }
}

void Links::close_silent(Duration advert_period, MonotonicTime now) {
    auto const least = has_many(node_.options.stripes) ? least_silence : narrow_silence;
    for (auto const& [id, neighbour] : node_.neighbours) {
        auto const silence = std::max<Duration>(least, 4 * advert_period);
        if (now - neighbour.last_heard > silence) node_.actions.emplace_back(CloseLink{id});
    }
}

void Links::tick(Duration advert_period, MonotonicTime now) {
    if (!node_.options.is_source()) open_to_source(now);
    if (now < next_) return;
    next_ = now + period;
    close_silent(advert_period, now);
    close(now);
    if (!node_.options.is_source()) open(now);
}

} // namespace minuteswarm
