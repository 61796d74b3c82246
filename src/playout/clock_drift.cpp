#include "playout/clock_drift.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

// Long enough for one chunk of 120 s to come without delay.
constexpr MediaTime window = std::chrono::minutes{5};
constexpr MediaTime correction_max = window / 2000;

} // namespace

MediaTime ClockDrift::note(MonotonicTime now, MediaTime slack) {
    if (!window_start_) window_start_ = now;
    if (now - *window_start_ < window) {
        best_ = std::max(best_.value_or(slack), slack);
        return MediaTime::zero();
    }
    auto const seen = best_.value_or(slack);
    window_start_ = now;
    best_ = slack;
    if (!target_) target_ = seen;
    auto const correction = std::clamp(*target_ - seen, MediaTime::zero(), correction_max);
    *best_ += correction;
    return correction;
}

} // namespace minuteswarm
