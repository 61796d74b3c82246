#pragma once

#include "base/event_loop.hpp"
#include "base/time.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>

namespace minuteswarm {

/// Carries work from the input thread to the loop, in order, holding at most
/// `limits::input_queue` bytes: the input thread waits while more are unconsumed.
class InputQueue {
public:
    using Work = std::function<void()>;

    explicit InputQueue(EventLoop& loop)
        : loop_(&loop) {}

    /// Input thread: run `work`, which carries `bytes` bytes, on the loop.
    void post(std::size_t bytes, Work work);
    /// Loop: bytes posted earlier have been dealt with.
    void consumed(std::size_t bytes);
    /// Loop: the loop may go away after this; work not yet begun is dropped.
    void abandon();
    /// Input thread: false when stopped before `until`.
    bool sleep(MonotonicTime until, std::stop_token const& stop);

private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    EventLoop* loop_; // null once abandoned
    std::size_t held_ = 0;
};

} // namespace minuteswarm
