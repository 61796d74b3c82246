#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace minuteswarm {

/// The newest `most` of many durations, and what lies below a share of them.
class RecentSamples {
public:
    explicit RecentSamples(std::size_t most)
        : most_(most) {}

    void add(MediaTime sample) {
        if (samples_.size() < most_) {
            samples_.push_back(sample);
        } else {
            samples_[count_ % most_] = sample;
        }
        ++count_;
    }

    /// All that were added, also those that are no longer kept.
    [[nodiscard]] std::size_t count() const { return count_; }

    /// The value below which `share` (0-1) of the kept samples lie, in whole ms; 0 of none.
    [[nodiscard]] std::chrono::milliseconds percentile(double share) const {
        if (samples_.empty()) return {};
        auto sorted = samples_;
        auto const last = static_cast<double>(sorted.size() - 1);
        auto const rank = static_cast<std::ptrdiff_t>(std::lround(share * last));
        std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            sorted[static_cast<std::size_t>(rank)]
        );
    }

private:
    std::size_t most_;
    std::size_t count_ = 0;
    std::vector<MediaTime> samples_;
};

} // namespace minuteswarm
