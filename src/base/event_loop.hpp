#pragma once

#include "base/task.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace minuteswarm {

/// The one thread that owns all state; libtorrent's session runs on its io_context, too.
/// Other threads only `post`.
class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(EventLoop const&) = delete;
    EventLoop& operator=(EventLoop const&) = delete;

    boost::asio::io_context& io() { return io_; }

    /// From any thread: run `work` on the loop, later.
    template <class Work>
    void post(Work&& work) {
        post(Task{std::forward<Work>(work)});
    }
    void post(Task task);

    /// Runs until nothing is left to do or `stop` is called.
    void run();

    /// The same, for at most so long: what is left to be done after everything was told to end.
    void run_for(std::chrono::nanoseconds most);

    void stop();

    /// True on the loop thread, and before or after the loop runs.
    [[nodiscard]] bool is_current() const {
        auto const owner = thread_.load();
        return owner == std::thread::id{} || owner == std::this_thread::get_id();
    }

private:
    boost::asio::io_context io_{1};
    std::atomic<std::thread::id> thread_{};
};

} // namespace minuteswarm
