#pragma once

#include <chrono>

namespace minuteswarm {

/// Position on an event's own clock, counted from the event's start; also lengths of media.
using MediaTime = std::chrono::microseconds;

/// Unix time, as the publisher's clock had it. Never used in a rule of validity.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// What deadlines are kept by: unaffected by clock steps.
using MonotonicClock = std::chrono::steady_clock;
using MonotonicTime = MonotonicClock::time_point;
using Duration = MonotonicClock::duration;

inline WallTime wall_now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()
    );
}

inline double in_seconds(MediaTime time) {
    return std::chrono::duration<double>(time).count();
}

} // namespace minuteswarm
