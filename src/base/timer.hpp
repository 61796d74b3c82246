#pragma once

#include "base/event_loop.hpp"
#include "base/time.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace minuteswarm {

/// Calls back on the loop, once, later; setting it anew, `cancel` or destroying it drops the
/// earlier call.
class Timer {
public:
    explicit Timer(EventLoop& loop);
    ~Timer();
    Timer(Timer const&) = delete;
    Timer& operator=(Timer const&) = delete;

    template <class Duration>
    void start_after(Duration delay, std::function<void()> call) {
        start_at(MonotonicClock::now() + delay, std::move(call));
    }

    void start_at(MonotonicTime when, std::function<void()> call);

    void cancel();

private:
    boost::asio::steady_timer timer_;
    /// Asio cannot take back a call that is due and waits for its turn: it sees that it is an old
    /// one, even after the timer is gone.
    std::shared_ptr<std::uint64_t> setting_ = std::make_shared<std::uint64_t>(0);
};

} // namespace minuteswarm
