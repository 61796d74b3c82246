#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace minuteswarm::simulation {

/// What is to happen when; of things at the same time, what was said first.
class EventQueue {
public:
    using Duration = MonotonicClock::duration;

    [[nodiscard]] MonotonicTime now() const { return now_; }
    [[nodiscard]] std::uint64_t handled() const { return handled_; }

    void at(MonotonicTime time, std::function<void()> action) {
        events_.push_back({std::max(time, now_), next_++, std::move(action)});
        std::push_heap(events_.begin(), events_.end(), later);
    }
    void after(Duration delay, std::function<void()> action) {
        at(now_ + delay, std::move(action));
    }
    void run_until(MonotonicTime end) {
        while (!events_.empty() && events_.front().time <= end) {
            std::pop_heap(events_.begin(), events_.end(), later);
            auto const event = std::move(events_.back());
            events_.pop_back();
            now_ = event.time;
            ++handled_;
            event.action();
        }
        now_ = end;
    }

private:
    struct Event {
        MonotonicTime time;
        std::uint64_t number = 0;
        std::function<void()> action;
    };
    static bool later(Event const& a, Event const& b) {
        return a.time != b.time ? a.time > b.time : a.number > b.number;
    }

    std::vector<Event> events_;
    MonotonicTime now_{};
    std::uint64_t next_ = 0;
    std::uint64_t handled_ = 0;
};

} // namespace minuteswarm::simulation
