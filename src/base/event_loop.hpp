#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <cassert>
#include <thread>
#include <utility>

namespace minuteswarm {

/// The one thread that owns all state; libtorrent's session runs on its io_context, too.
/// Other threads only `post`.
class EventLoop {
public:
    EventLoop() = default;
    EventLoop(EventLoop const&) = delete;
    EventLoop& operator=(EventLoop const&) = delete;

    boost::asio::io_context& io() { return io_; }

    /// From any thread: run `work` on the loop, later.
    template <class Work>
    void post(Work&& work) {
        boost::asio::post(io_, std::forward<Work>(work));
    }

    /// Runs until nothing is left to do or `stop` is called.
    void run() {
        thread_ = std::this_thread::get_id();
        io_.restart();
        io_.run();
        thread_ = std::thread::id{};
    }

    /// The same, for at most so long: what is left to be done after everything was told to end.
    template <class Duration>
    void run_for(Duration most) {
        thread_ = std::this_thread::get_id();
        io_.restart();
        io_.run_for(most);
        thread_ = std::thread::id{};
    }

    void stop() { io_.stop(); }

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
