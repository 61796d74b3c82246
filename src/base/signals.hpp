#pragma once

#include "base/event_loop.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <functional>
#include <utility>

namespace minuteswarm {

/// Ctrl-C and polite kills, reported on the loop each time until cancelled.
class StopSignals {
public:
    StopSignals(EventLoop& loop, std::function<void()> on_signal)
        : signals_(loop.io(), SIGINT, SIGTERM)
        , on_signal_(std::move(on_signal)) {
        wait();
    }

    void cancel() { signals_.cancel(); }

private:
    void wait() {
        signals_.async_wait([this](boost::system::error_code const& error, int) {
            if (error) return;
            wait(); // first, so that a cancel in the call ends this wait, too
            on_signal_();
        });
    }

    boost::asio::signal_set signals_;
    std::function<void()> on_signal_;
};

} // namespace minuteswarm
