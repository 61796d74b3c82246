#pragma once

#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace minuteswarm {

/// How many of something (bytes, events) took how long. Pure.
class DelayHistogram {
public:
    /// Upper bounds in milliseconds; what is longer is counted apart.
    static constexpr std::array<int, 36> bounds_ms{
        50,   100,  150,  200,  250,  300,  350,  400,    450,    500,    550,    600,
        650,  700,  750,  800,  850,  900,  950,  1000,   1250,   1500,   1750,   2000,
        2500, 3000, 3500, 4000, 5000, 6000, 8000, 10'000, 15'000, 20'000, 30'000, 60'000};

    void add(MediaTime delay, std::uint64_t count = 1) {
        std::size_t at = 0;
        while (at < bounds_ms.size() && delay > std::chrono::milliseconds{bounds_ms[at]})
            ++at;
        counts_[at] += count;
        total_ += count;
        auto const seconds = std::chrono::duration<double>(delay).count();
        sum_ += seconds > 0 ? seconds * static_cast<double>(count) : 0;
    }

    /// Of the bucket below `bounds_ms[bucket]`; the last one has no bound.
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }
    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] double sum_seconds() const { return sum_; }

    /// The delay below which `share` (0-1) of them lie, linear within a bucket; 0 of none.
    [[nodiscard]] std::chrono::milliseconds percentile(double share) const {
        auto const wanted = share * static_cast<double>(total_);
        double below = 0;
        double lower = 0;
        for (std::size_t i = 0; i < bounds_ms.size(); ++i) {
            auto const here = static_cast<double>(counts_[i]);
            if (here > 0 && below + here >= wanted) {
                auto const part = (bounds_ms[i] - lower) * (wanted - below) / here;
                return std::chrono::milliseconds{static_cast<int>(lower + part)};
            }
            below += here;
            lower = bounds_ms[i];
        }
        return std::chrono::milliseconds{total_ > 0 ? bounds_ms.back() : 0};
    }

private:
    std::array<std::uint64_t, bounds_ms.size() + 1> counts_{};
    std::uint64_t total_ = 0;
    double sum_ = 0;
};

} // namespace minuteswarm
