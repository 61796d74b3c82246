#include "edge/homes.hpp"

#include <algorithm>
#include <numeric>

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t enough_view = 5;   // neighbours
constexpr milliseconds view_wait{350};   // for so many
constexpr seconds period{2};             // between two changes
constexpr milliseconds bare_period{500}; // while stripes have no home at all
constexpr seconds after_swap{4};         // until the neighbours' view of it has settled
constexpr double swap_chance = 0.25;     // so that not all who see the same do the same
constexpr double lack_weight = 1.5;      // how much a stripe counts that neighbours lack

} // namespace

std::size_t Homes::most_homes() const {
    return node_.slots < 2 ? 0 : node_.slots / 2;
}

std::size_t Homes::fitting_homes() const {
    std::size_t nodes = 1;
    for (auto const& [id, neighbour] : node_.neighbours)
        nodes += neighbour.peer.is_source ? 0U : 1U;
    auto const share = (node_.options.total() + nodes - 1) / nodes;
    return std::min(std::max<std::size_t>(share, 1), most_homes());
}

std::vector<double> Homes::supply() const {
    std::vector<double> supply(node_.options.total(), 0.0);
    for (auto const& [id, neighbour] : node_.neighbours) {
        // Who was chosen for its homes says nothing about how common these are.
        if (neighbour.peer.is_directed || neighbour.chose_us || neighbour.peer.is_source) continue;
        for (StripeIndex s; s.value < supply.size(); ++s) {
            if (has(neighbour.homes, s)) supply[s.value] += static_cast<double>(neighbour.fanout());
        }
    }
    return supply;
}

void Homes::choose_first(MonotonicTime now) {
    if (node_.neighbours.size() < enough_view && now - start_ < view_wait) return;
    has_chosen_ = true;
    next_ = now + node_.random_time(bare_period / 2, bare_period);
    swapped_ = now;
    auto by_supply = supply();
    for (auto& value : by_supply)
        value += node_.random_real(0, 0.5);
    std::vector<std::uint8_t> order(by_supply.size());
    std::iota(order.begin(), order.end(), std::uint8_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
        return by_supply[a] < by_supply[b];
    });
    for (std::size_t i = 0; i < fitting_homes(); ++i)
        node_.homes |= mask_of({order[i]});
}

void Homes::swap_with(std::vector<double> const& supply, MonotonicTime now) {
    if (now - swapped_ < after_swap || node_.random_real(0, 1) > swap_chance) return;
    auto const fanout = static_cast<double>(node_.fanout());
    auto const others = static_cast<double>(node_.neighbours.size());
    std::optional<StripeIndex> richest;
    std::optional<StripeIndex> poorest;
    for (StripeIndex s; s.value < supply.size(); ++s) {
        auto const mine = has(node_.homes, s);
        if (!mine && (!poorest || supply[s.value] < supply[poorest->value])) poorest = s;
        // Whoever hangs on this node here would have to move.
        if (!mine || has(node_.relays, s)) continue;
        if (!richest || supply[s.value] > supply[richest->value]) richest = s;
    }
    if (!richest || !poorest) return;
    if (supply[richest->value] - supply[poorest->value] <= 2 * fanout / (others + 1)) return;
    node_.homes = (node_.homes & ~mask_of(*richest)) | mask_of(*poorest);
    swapped_ = now;
}

void Homes::adapt(MonotonicTime now) {
    auto known = supply();
    auto const view = static_cast<double>(std::max<std::size_t>(node_.neighbours.size(), 1));
    for (StripeIndex s; s.value < known.size(); ++s) {
        auto lack = 0.0;
        for (auto const& [id, neighbour] : node_.neighbours)
            lack += has(neighbour.flowing, s) || neighbour.is_stepped_back ? 0 : 1;
        auto const fanout = static_cast<double>(node_.fanout());
        if (has(node_.homes, s)) known[s.value] += fanout;
        known[s.value] -= lack_weight * lack / view;
    }
    auto const poorest = std::min_element(known.begin(), known.end());
    StripeIndex const poor{static_cast<std::uint8_t>(poorest - known.begin())};
    auto const is_small = node_.neighbours.size() < 2U * node_.options.total();
    if (*poorest <= 0 && is_small && !has(node_.homes, poor) && count(node_.homes) < most_homes()) {
        node_.homes |= mask_of(poor);
        next_ = now + node_.random_time(bare_period / 2, bare_period);
        return;
    }
    if (count(node_.homes) > fitting_homes()) {
        for (StripeIndex s; s.value < known.size(); ++s) {
            auto const others = known[s.value] - static_cast<double>(node_.fanout());
            if (!has(node_.homes & ~node_.relays, s) || others < view / 4) continue;
            node_.homes &= ~mask_of(s);
            return;
        }
    }
    swap_with(known, now);
}

void Homes::tick(MonotonicTime now) {
    if (node_.options.is_source()) {
        node_.homes = node_.all_stripes();
        return;
    }
    if (!has_chosen_) return choose_first(now);
    if (now < next_) return;
    next_ = now + node_.random_time(period - milliseconds{200}, period + milliseconds{200});
    if (most_homes() == 0) {
        node_.homes = 0;
    } else {
        adapt(now);
    }
}

} // namespace minuteswarm
