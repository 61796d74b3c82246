#include "segmenter/input_queue.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {

void InputQueue::post(std::size_t bytes, Work work) {
    std::unique_lock lock(mutex_);
    auto const has_room = [&] {
        return !loop_ || held_ == 0 || held_ + bytes <= limits::input_queue;
    };
    changed_.wait(lock, has_room);
    if (!loop_) return;
    held_ += bytes;
    loop_->post(std::move(work));
}

void InputQueue::consumed(std::size_t bytes) {
    std::lock_guard lock(mutex_);
    held_ -= std::min(held_, bytes);
    changed_.notify_all();
}

void InputQueue::abandon() {
    std::lock_guard lock(mutex_);
    loop_ = nullptr;
    changed_.notify_all();
}

bool InputQueue::sleep(MonotonicTime until, std::stop_token const& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, until, [] { return false; });
    return !stop.stop_requested();
}

} // namespace minuteswarm
