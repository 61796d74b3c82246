#include "base/signals.hpp"

#include <boost/system/error_code.hpp>

#include <csignal>
#include <utility>

namespace minuteswarm {

StopSignals::StopSignals(EventLoop& loop, std::function<void()> on_signal)
    : signals_(loop.io(), SIGINT, SIGTERM)
    , on_signal_(std::move(on_signal)) {
    wait();
}

StopSignals::~StopSignals() = default;

void StopSignals::cancel() {
    signals_.cancel();
}

void StopSignals::wait() {
    signals_.async_wait([this](boost::system::error_code const& error, int) {
        if (error) return;
        wait(); // first, so that a cancel in the call ends this wait, too
        on_signal_();
    });
}

} // namespace minuteswarm
