#pragma once

#include "base/event_loop.hpp"
#include "base/limits.hpp"
#include "base/task.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace minuteswarm {

/// The one thread that reads, writes, syncs and unlinks files. Jobs run in order; what follows from
/// one is posted back to the loop. Owned by a role; outlives every stage that posts to it.
class DiskStrand {
public:
    explicit DiskStrand(EventLoop& loop, std::size_t limit = limits::disk_queue);
    ~DiskStrand();

    /// Runs `job` on the disk thread, then `done(result)` on the loop. `bytes` counts against the
    /// limit until the job has run. Call from the loop, or from a thread whose results nobody waits
    /// for.
    template <class Job, class Done>
    void run(std::size_t bytes, Job job, Done done) {
        start(bytes, Task{[this, bytes, job = std::move(job), done = std::move(done)]() mutable {
                  auto result = job();
                  queued_ -= bytes;
                  loop_.post([done = std::move(done), result = std::move(result)]() mutable {
                      done(std::move(result));
                  });
              }});
    }

    /// As above without an answer.
    template <class Job>
    void run(std::size_t bytes, Job job) {
        start(bytes, Task{[this, bytes, job = std::move(job)]() mutable {
                  job();
                  queued_ -= bytes;
              }});
    }

    /// More bytes wait than may: senders should slow down, readers stop asking.
    [[nodiscard]] bool is_full() const { return queued_ > limit_; }

    /// Waits until every job has run; none may follow.
    void finish();

private:
    void start(std::size_t bytes, Task task);

    EventLoop& loop_;
    std::size_t limit_;
    std::atomic<std::size_t> queued_{0};
    boost::asio::thread_pool pool_{1};
};

} // namespace minuteswarm
