#include "edge/admission.hpp"

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds patience_without{4000};   // of a viewer that gets nothing
constexpr milliseconds patience_with_most{1000}; // more, the more it gets: it frees least
constexpr int forming = 3;                       // times as patient while nobody is fed at all
constexpr int recovery = 4;                      // times as long fed makes up for a lack
constexpr milliseconds spread{2000};             // so that not all step back at once
constexpr milliseconds second_try{3000};         // at most: what it holds meanwhile, others lack
constexpr seconds farewell{1};                   // children look around while they are still fed
constexpr milliseconds first_look{1500};         // for room that was not there
constexpr milliseconds next_look{500};
constexpr std::size_t several = 3; // who come at the same time
constexpr seconds shortest_absence{10};
constexpr seconds longest_absence{20};

} // namespace

Admission::Admission(EdgeNode& node, MonotonicTime start)
    : node_(node)
    , last_tick_(start)
    , patience_(patience_without + patience_with_most) {}

bool Admission::has_fed_neighbour() const {
    return std::ranges::any_of(node_.neighbours, [&](auto const& entry) {
        auto const& [id, neighbour] = entry;
        return !neighbour.peer.is_source && count(neighbour.flowing) >= node_.options.stripes;
    });
}

Duration Admission::patience() {
    auto const share = static_cast<double>(count(node_.flowing)) / node_.options.stripes;
    auto const more = std::chrono::duration<double>(patience_with_most) * std::min(share, 1.0);
    return patience_without + std::chrono::duration_cast<Duration>(more) +
           node_.random_time({}, spread);
}

/// Whether neighbours have what this node lacks, and slots to spare for several like it: those that
/// brought uplink may have come in the meantime. Looks now and then, so that not all see the same
/// at once.
bool Admission::sees_room(MonotonicTime now) {
    if (now < look_at_) return false;
    look_at_ = now + node_.random_time(next_look, 2 * next_look);
    std::size_t spare = 0;
    auto free = node_.flowing;
    for (auto const& [id, neighbour] : node_.neighbours) {
        if (neighbour.is_stepped_back || neighbour.spare == 0) continue;
        StripeMask of_use = 0;
        for (StripeIndex s; s.value < node_.options.total(); ++s) {
            auto const is_free = has(neighbour.flowing, s) && neighbour.claim(s).need == 0;
            if (is_free && !has(node_.flowing, s)) of_use |= mask_of(s);
        }
        free |= of_use;
        if (of_use != 0)
            spare += std::min<std::size_t>(neighbour.spare, EdgeNode::most_help_of_one);
    }
    auto const enough = std::size_t{node_.options.stripes};
    auto const lacking = enough - std::min<std::size_t>(enough, count(node_.flowing));
    return count(free) >= enough && spare >= several * lacking;
}

Admission::Step Admission::tick(MonotonicTime now) {
    if (node_.options.is_source()) return Step::none;
    auto const since = now - std::exchange(last_tick_, now);
    if (node_.is_stepped_back) {
        if (now < back_at_ && !sees_room(now)) return Step::none;
        node_.is_stepped_back = false;
        node_.is_on_trial = true;
        lack_ = {};
        patience_ = second_try + node_.random_time({}, spread / 2);
        return Step::come_back;
    }
    if (leaving_at_) {
        if (now < *leaving_at_) return Step::none;
        leaving_at_.reset();
        node_.is_stepped_back = true;
        look_at_ = now + node_.random_time(first_look, 2 * first_look);
        back_at_ = now + node_.random_time(shortest_absence, longest_absence);
        return Step::stepped_back;
    }
    // Who brings less than it takes waits for room: where uplink is short while viewers come one
    // after another, all would lack it else, those who play already too.
    node_.is_on_trial |= !was_fed_ && node_.slots < node_.options.total();
    if (count(node_.flowing) >= node_.options.stripes) {
        was_fed_ = true;
        // Who is fed only now and then is not fed.
        lack_ = std::max<Duration>(lack_ - since / recovery, {});
        if (node_.is_on_trial || lack_ == Duration{}) patience_ = patience();
        if (std::exchange(node_.is_on_trial, false)) lack_ = {};
        return Step::none;
    }
    lack_ += since;
    if (lack_ < (has_fed_neighbour() ? patience_ : forming * patience_)) return Step::none;
    lack_ = {};
    leaving_at_ = now + farewell;
    return Step::leave;
}

} // namespace minuteswarm
