#pragma once

#include "base/time.hpp"

#include <optional>

namespace minuteswarm {

/// Says when recorded media is due, so that a file runs as a live source would. Pure.
class Pacer {
public:
    /// `lead`: how far media may run ahead of the clock.
    explicit Pacer(MediaTime lead)
        : lead_(lead) {}

    /// When to read on, after media up to `position` has been read at `now`.
    MonotonicTime due(MediaTime position, MonotonicTime now);

private:
    MediaTime lead_;
    std::optional<MonotonicTime> start_; // of position 0
};

/// Delays between attempts to open a lost source: doubled from 0.5 s up to 8 s. Pure.
class BackOff {
public:
    std::chrono::milliseconds next();
    void reset() { delay_ = first; }

private:
    static constexpr std::chrono::milliseconds first{500};
    static constexpr std::chrono::milliseconds longest{8000};
    std::chrono::milliseconds delay_ = first;
};

} // namespace minuteswarm
