#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <chrono>

namespace minuteswarm {

/// So much a second, with a burst on top. Pure.
class TokenBucket {
public:
    TokenBucket(double per_second, double burst)
        : per_second_(per_second)
        , burst_(burst)
        , tokens_(burst) {}

    /// Takes `amount` if it is there.
    bool take(double amount, MonotonicTime now) {
        if (last_ != MonotonicTime{}) {
            auto const passed = std::chrono::duration<double>(now - last_).count();
            tokens_ = std::min(burst_, tokens_ + passed * per_second_);
        }
        last_ = now;
        if (tokens_ < amount) return false;
        tokens_ -= amount;
        return true;
    }

private:
    double per_second_;
    double burst_;
    double tokens_;
    MonotonicTime last_{};
};

} // namespace minuteswarm
