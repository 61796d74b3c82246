#include "base/event_loop.hpp"

#include <boost/asio/post.hpp>

namespace minuteswarm {

EventLoop::EventLoop() = default;
EventLoop::~EventLoop() = default;

void EventLoop::post(Task task) {
    boost::asio::post(io_, std::move(task));
}

void EventLoop::run() {
    thread_ = std::this_thread::get_id();
    io_.restart();
    io_.run();
    thread_ = std::thread::id{};
}

void EventLoop::run_for(std::chrono::nanoseconds most) {
    thread_ = std::this_thread::get_id();
    io_.restart();
    io_.run_for(most);
    thread_ = std::thread::id{};
}

void EventLoop::stop() {
    io_.stop();
}

} // namespace minuteswarm
