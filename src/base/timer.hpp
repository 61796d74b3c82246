#pragma once

#include "base/event_loop.hpp"
#include "base/time.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <utility>

namespace minuteswarm {

/// Calls back on the loop, once, later; setting it anew or destroying it drops the earlier call.
class Timer {
public:
    explicit Timer(EventLoop& loop)
        : timer_(loop.io()) {}

    template <class Duration>
    void start_after(Duration delay, std::function<void()> call) {
        start_at(MonotonicClock::now() + delay, std::move(call));
    }

    void start_at(MonotonicTime when, std::function<void()> call) {
        timer_.expires_at(when);
        timer_.async_wait([call = std::move(call)](boost::system::error_code const& error) {
            if (!error) call();
        });
    }

    void cancel() { timer_.cancel(); }

private:
    boost::asio::steady_timer timer_;
};

} // namespace minuteswarm
