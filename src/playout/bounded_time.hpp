#pragma once

#include "base/time.hpp"

#include <algorithm>

namespace minuteswarm {

// Signed values may still be absurd. Within these bounds no sum or difference overflows, not even
// in the nanoseconds of the monotonic clock.
inline constexpr MediaTime media_time_max = std::chrono::hours{24 * 365 * 100};
inline constexpr MediaTime duration_max = std::chrono::hours{24};

inline MonotonicTime saturated_add(MonotonicTime to, MediaTime by) {
    auto const room =
        std::chrono::duration_cast<MediaTime>(MonotonicTime::max() - std::max(to, MonotonicTime{}));
    return by > room ? MonotonicTime::max() : to + by;
}

} // namespace minuteswarm
