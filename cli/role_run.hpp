#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/signals.hpp"
#include "base/timer.hpp"
#include "commands.hpp"
#include "reporter.hpp"

#include <malloc.h>

#include <functional>
#include <optional>
#include <string>

namespace minuteswarm {

/// Runs a role on the loop until it has stopped, shows its status, and passes Ctrl-C on to it.
class RoleRun {
public:
    RoleRun(EventLoop& loop, Reporter& reporter)
        : loop_(loop)
        , reporter_(reporter)
        , signals_(loop, [this] { on_signal(); })
        , status_timer_(loop)
        , trim_timer_(loop) {}

    std::function<void()> start; ///< on the loop; may throw StartError
    std::function<void()> stop;
    std::function<Status()> status;
    std::string stopping; ///< what the first Ctrl-C says, if stopping takes its time

    /// For hours, blocks of chunks come and go while records stay: in one heap the records would
    /// end up in the blocks' holes, and each new block would need new memory. This gives every
    /// block pages of its own, which the system has back as soon as the block goes. It costs a
    /// fifth of the speed at which a file can be cut, hashed and stored.
    static void keep_blocks_apart() { ::mallopt(M_MMAP_THRESHOLD, 16 * 1024); }

    /// For the role's on_stopped.
    void on_stopped(std::optional<Error> const& error) {
        error_ = error;
        signals_.cancel();
        status_timer_.cancel();
        trim_timer_.cancel();
        loop_.stop();
    }

    int run() {
        loop_.post([this] { start_role(); });
        show_status();
        return_free_memory();
        loop_.run();
        loop_.run_for(goodbye); // libtorrent takes leave of trackers and peers
        if (error_) {
            reporter_.event(
                "error", {{"message", error_->message}}, "minuteswarm: " + error_->message
            );
            return exit_failed;
        }
        return interrupted_at_ ? exit_interrupted : exit_done;
    }

private:
    static constexpr std::chrono::seconds goodbye{3};
    static constexpr std::chrono::milliseconds echo{300};
    static constexpr std::chrono::seconds trim_interval{60};

    /// What cannot start still has to end in order: libtorrent's session may be up already.
    void start_role() {
        try {
            start();
        } catch (StartError const& error) {
            stop();
            on_stopped(Error{error.what()});
        }
    }

    void on_signal() {
        // Wrappers such as timeout(1) send once more what the terminal has sent already.
        auto const now = MonotonicClock::now();
        if (interrupted_at_ && now - *interrupted_at_ < echo) return;
        if (!interrupted_at_) reporter_.say(stopping);
        interrupted_at_ = now;
        if (stop) stop();
    }

    void show_status() {
        status_timer_.start_after(std::chrono::seconds{1}, [this] {
            if (status) reporter_.status(status());
            show_status();
        });
    }

    /// Chunks of megabytes leave holes in glibc's heap between small things that live for hours;
    /// it gives them back only when asked to. A few milliseconds.
    void return_free_memory() {
        trim_timer_.start_after(trim_interval, [this] {
            ::malloc_trim(0);
            return_free_memory();
        });
    }

    EventLoop& loop_;
    Reporter& reporter_;
    StopSignals signals_;
    Timer status_timer_;
    Timer trim_timer_;
    std::optional<Error> error_;
    std::optional<MonotonicTime> interrupted_at_;
};

} // namespace minuteswarm
