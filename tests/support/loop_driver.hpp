#pragma once

#include "base/event_loop.hpp"
#include "base/time.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace minuteswarm::test {

/// Drives an EventLoop from a test: work runs on the loop as in the program, and the test waits for
/// what it expects instead of for a time.
class LoopDriver {
public:
    explicit LoopDriver(EventLoop& loop)
        : loop_(loop)
        , work_(boost::asio::make_work_guard(loop.io())) {}

    /// Runs `work` on the loop, and returns when it has run.
    void run(std::function<void()> work) {
        auto const is_done = std::make_shared<bool>(false);
        loop_.post([is_done, work = std::move(work)] {
            work();
            *is_done = true;
        });
        while (!*is_done)
            loop_.io().run_one_for(step);
    }

    /// Runs the loop until `holds()`, asked on the loop; false when it did not within `most`.
    bool until(
        std::function<bool()> const& holds, MonotonicClock::duration most = std::chrono::seconds{20}
    ) {
        auto const deadline = MonotonicClock::now() + most;
        while (MonotonicClock::now() < deadline) {
            bool is_true = false;
            run([&] { is_true = holds(); });
            if (is_true) return true;
            loop_.run_for(step);
        }
        return false;
    }

    /// Whether `holds()` all of the time: what must not happen gets a chance to.
    bool throughout(MonotonicClock::duration time, std::function<bool()> const& holds) {
        return !until([&] { return !holds(); }, time);
    }

    /// What is left to do after everything was told to stop.
    void drain() {
        work_.reset();
        loop_.run_for(std::chrono::seconds{10});
    }

private:
    static constexpr std::chrono::milliseconds step{5};

    EventLoop& loop_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

} // namespace minuteswarm::test
