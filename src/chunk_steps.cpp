#include "chunk_steps.hpp"

#include "base/limits.hpp"

#include <cassert>

namespace minuteswarm {
namespace {

constexpr std::chrono::seconds retry_interval{1};

} // namespace

void ChunkSteps::append(Bytes bytes) {
    // While a step runs, what comes meanwhile becomes one write; the first in line may be running.
    if (steps_.size() > 1) {
        auto* const last = std::get_if<Append>(&steps_.back());
        if (last && last->bytes->size() + bytes.size() <= limits::append_size) {
            minuteswarm::append(*last->bytes, bytes);
            return;
        }
    }
    enqueue(Append{std::make_shared<Bytes>(std::move(bytes))});
}

void ChunkSteps::enqueue(Step step) {
    assert(loop_.is_current());
    steps_.push_back(std::move(step));
    run_next();
}

void ChunkSteps::stop() {
    stopped_ = true;
    retry_.cancel();
}

void ChunkSteps::run_next() {
    if (is_running_ || stopped_ || steps_.empty()) return;
    is_running_ = true;
    std::visit([this](auto const& step) { run(step); }, steps_.front());
}

/// Runs `job` on the disk strand and takes its Expected<Result> back; `done` only sees a value.
template <class Result, class Job, class Done>
void ChunkSteps::run_job(std::size_t bytes, Job job, Done done) {
    disk_.run(bytes, std::move(job), [this, done = std::move(done)](Expected<Result> result) {
        if (stopped_) return;
        if (!result) return on_result(result.error());
        done(*std::move(result));
        on_result(std::nullopt);
    });
}

void ChunkSteps::on_result(std::optional<Error> const& error) {
    if (error) {
        if (!is_failing_) events_.on_failing(*error);
        is_failing_ = true;
        retry_.start_after(retry_interval, [this] {
            is_running_ = false;
            run_next();
        });
        return;
    }
    if (is_failing_) events_.on_recovered();
    is_failing_ = false;
    is_running_ = false;
    steps_.pop_front();
    run_next();
}

void ChunkSteps::run(Describe const& step) {
    run_job<Statement>(
        0,
        [writer = writer_, descriptor = step.descriptor] { return writer->describe(descriptor); },
        [this](Statement statement) { events_.on_described(statement); }
    );
}

void ChunkSteps::run(Open const& step) {
    run_job<std::monostate>(
        0,
        [writer = writer_, opening = step.opening] { return writer->open_chunk(opening); },
        [](std::monostate) {}
    );
}

void ChunkSteps::run(Append const& step) {
    run_job<std::monostate>(
        step.bytes->size(),
        [writer = writer_, bytes = step.bytes] { return writer->append(*bytes); },
        [this, size = step.bytes->size()](std::monostate) { events_.on_appended(size); }
    );
}

void ChunkSteps::run(Close const& step) {
    run_job<EventWriter::Closed>(
        0,
        [writer = writer_, duration = step.duration] { return writer->close_chunk(duration); },
        [this](EventWriter::Closed closed) { events_.on_chunk(closed); }
    );
}

void ChunkSteps::run(Then const& step) {
    loop_.post([this, call = step.call] {
        if (stopped_) return;
        on_result(std::nullopt);
        call();
    });
}

void ChunkSteps::run(End const& step) {
    disk_.run(
        0,
        [writer = writer_] { return writer->prepare_end(); },
        [this, step](bool more) {
            if (stopped_) return;
            if (more) return run(step);
            run_job<EventWriter::Ended>(
                0,
                [writer = writer_, step] { return writer->end(step.trackers, step.web_seeds); },
                [this](EventWriter::Ended ended) { events_.on_ended(ended); }
            );
        }
    );
}

} // namespace minuteswarm
