#pragma once

#include "archive/event_writer.hpp"
#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "store/disk_strand.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace minuteswarm {

/// Brings a publisher's chunks to disk, one step after the other on the disk strand, and reports
/// each when it is durable. A step that fails (disk full) is tried again every second: nothing is
/// lost, the input waits. Loop-only.
class ChunkSteps {
public:
    struct Events {
        std::function<void(Statement const&)> on_described;
        std::function<void(EventWriter::Closed const&)> on_chunk;
        std::function<void(EventWriter::Ended const&)> on_ended;
        std::function<void(std::size_t bytes)> on_appended;
        std::function<void(Error const&)> on_failing;
        std::function<void()> on_recovered;
    };

    ChunkSteps(
        EventLoop& loop, DiskStrand& disk, std::shared_ptr<EventWriter> writer, Events events
    )
        : loop_(loop)
        , disk_(disk)
        , writer_(std::move(writer))
        , events_(std::move(events))
        , retry_(loop) {}

    void describe(Descriptor const& descriptor) { enqueue(Describe{descriptor}); }
    void open_chunk(Record const& opening) { enqueue(Open{opening}); }
    void append(Bytes bytes);
    void close_chunk(MediaTime duration) { enqueue(Close{duration}); }
    void end(std::vector<std::string> trackers, std::vector<std::string> web_seeds) {
        enqueue(End{std::move(trackers), std::move(web_seeds)});
    }

    /// Calls back when every step before is done.
    void then(std::function<void()> call) { enqueue(Then{std::move(call)}); }

    [[nodiscard]] bool is_failing() const { return is_failing_; }
    void stop();

private:
    struct Describe {
        Descriptor descriptor;
    };
    struct Open {
        Record opening;
    };
    struct Append {
        std::shared_ptr<Bytes> bytes;
    };
    struct Close {
        MediaTime duration;
    };
    struct End {
        std::vector<std::string> trackers, web_seeds;
    };
    struct Then {
        std::function<void()> call;
    };
    using Step = std::variant<Describe, Open, Append, Close, End, Then>;

    void enqueue(Step step);
    void run_next();
    void run(Describe const& step);
    void run(Open const& step);
    void run(Append const& step);
    void run(Close const& step);
    void run(End const& step);
    void run(Then const& step);
    template <class Result, class Job, class Done>
    void run_job(std::size_t bytes, Job job, Done done);
    void on_result(std::optional<Error> const& error);

    EventLoop& loop_;
    DiskStrand& disk_;
    std::shared_ptr<EventWriter> writer_;
    Events events_;
    Timer retry_;
    std::deque<Step> steps_;
    bool is_running_ = false;
    bool is_failing_ = false;
    bool stopped_ = false;
};

} // namespace minuteswarm
