#pragma once

#include "base/time.hpp"

#include <optional>

namespace minuteswarm {

/// Notices that the publisher's media clock runs slower than ours: 50 ppm, usual for sound cards,
/// eat up three seconds of latency in 17 hours. Watches how long before its deadline the newest
/// record comes. Corrects at most 500 ppm, so that congestion isn't taken for drift. Pure.
class ClockDrift {
public:
    /// A new record came `slack` before the end of its media is due. Returns by how much deadlines
    /// are to move later now, mostly zero.
    MediaTime note(MonotonicTime now, MediaTime slack);

private:
    std::optional<MonotonicTime> window_start_;
    std::optional<MediaTime> best_;   // slack in this window: its quickest arrival, free of jitter
    std::optional<MediaTime> target_; // that of the first window
};

} // namespace minuteswarm
