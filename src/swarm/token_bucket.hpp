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
        refill(now);
        if (tokens_ < amount) return false;
        tokens_ -= amount;
        return true;
    }
    /// Takes it in any case: what follows waits.
    void spend(double amount, MonotonicTime now) {
        refill(now);
        tokens_ -= amount;
    }
    /// The same, but forgets what would be more debt than `most`.
    void spend(double amount, double most, MonotonicTime now) {
        refill(now);
        tokens_ = std::max(tokens_ - amount, std::min(tokens_, -most));
    }
    /// Until any are there.
    [[nodiscard]] Duration wait() const {
        auto const missing = std::max(0.0, -tokens_) / per_second_;
        return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(missing));
    }
    [[nodiscard]] bool is_empty(MonotonicTime now) {
        refill(now);
        return tokens_ < 0;
    }

private:
    void refill(MonotonicTime now) {
        if (last_ != MonotonicTime{}) {
            auto const passed = std::chrono::duration<double>(now - last_).count();
            tokens_ = std::min(burst_, tokens_ + passed * per_second_);
        }
        last_ = now;
    }

    double per_second_;
    double burst_;
    double tokens_;
    MonotonicTime last_{};
};

} // namespace minuteswarm
