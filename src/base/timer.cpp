#include "base/timer.hpp"

#include <boost/system/error_code.hpp>

namespace minuteswarm {

Timer::Timer(EventLoop& loop)
    : timer_(loop.io()) {}

Timer::~Timer() {
    cancel();
}

void Timer::start_at(MonotonicTime when, std::function<void()> call) {
    auto const setting = ++*setting_;
    timer_.expires_at(when);
    timer_.async_wait([call = std::move(call),
                       setting,
                       newest = setting_](boost::system::error_code const& error) {
        if (!error && setting == *newest) call();
    });
}

void Timer::cancel() {
    ++*setting_;
    timer_.cancel();
}

} // namespace minuteswarm
