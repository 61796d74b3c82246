#pragma once

#include "base/event_loop.hpp"

#include <boost/asio/signal_set.hpp>

#include <functional>

namespace minuteswarm {

/// Ctrl-C and polite kills, reported on the loop each time until cancelled.
class StopSignals {
public:
    StopSignals(EventLoop& loop, std::function<void()> on_signal);
    ~StopSignals();
    StopSignals(StopSignals const&) = delete;
    StopSignals& operator=(StopSignals const&) = delete;

    void cancel();

private:
    void wait();

    boost::asio::signal_set signals_;
    std::function<void()> on_signal_;
};

} // namespace minuteswarm
