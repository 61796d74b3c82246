#include "segmenter/recording.hpp"

#include "segmenter/input_queue.hpp"

#include <cassert>
#include <exception>
#include <future>
#include <stop_token>
#include <thread>
#include <utility>

namespace minuteswarm {

/// The way from the input thread to the `Events`. Outlives the recording if a thread does.
class Recording::Channel : public std::enable_shared_from_this<Channel> {
public:
    Channel(EventLoop& loop, Events events)
        : queue_(loop)
        , events_(std::move(events)) {}

    InputQueue& queue() { return queue_; }

    /// Loop: no event is delivered from now on.
    void close() {
        queue_.abandon();
        events_ = {};
        is_closed_ = true;
    }

    /// Input thread: deliver one event of the kind `event`, carrying `bytes` bytes.
    template <class... Declared, class... Given>
    void post(std::size_t bytes, std::function<void(Declared...)> Events::*event, Given... given) {
        auto self = this->shared_from_this();
        queue_.post(bytes, [self, event, ... given = std::move(given)]() mutable {
            if (self->is_closed_) return;
            // A copy, since the handler may destroy the recording and so close this channel.
            auto const handler = self->events_.*event;
            if (handler) handler(std::move(given)...);
        });
    }

private:
    InputQueue queue_;
    Events events_;
    bool is_closed_ = false; // loop only
};

/// The input thread and the means to end it.
struct Recording::Thread {
    std::stop_source stop;
    std::future<void> finished;
    std::thread thread;
};

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 900ms;

} // namespace

Recording::Recording(EventLoop& loop, Options options, Events events)
    : loop_(loop)
    , options_(std::move(options))
    , channel_(std::make_shared<Channel>(loop, std::move(events))) {}

Recording::~Recording() {
    assert(loop_.is_current());
    channel_->close();
    if (!thread_) return;
    thread_->stop.request_stop();
    if (thread_->finished.wait_for(patience) == std::future_status::ready) {
        thread_->thread.join();
    } else {
        // Inside the system's name resolution, which nothing interrupts. It owns all it touches.
        thread_->thread.detach();
    }
}

void Recording::start() {
    assert(loop_.is_current());
    assert(!thread_);
    thread_ = std::make_unique<Thread>();
    std::promise<void> done;
    thread_->finished = done.get_future();

    auto work = [channel = channel_,
                 options = options_,
                 stop = thread_->stop.get_token(),
                 done = std::move(done)]() mutable {
        auto& to = *channel;
        Recorder::Events events;
        events.on_epoch = [&](Epoch const& epoch) { to.post(0, &Events::on_epoch, epoch); };
        events.on_chunk_opened = [&](ClosedChunk const& chunk) {
            to.post(0, &Events::on_chunk_opened, chunk);
        };
        events.on_bytes = [&](MuxedSpan span) {
            auto const size = span.bytes.size();
            to.post(size, &Events::on_bytes, std::move(span));
        };
        events.on_chunk_closed = [&](ClosedChunk const& chunk) {
            to.post(0, &Events::on_chunk_closed, chunk);
        };
        events.on_waiting = [&](std::string text) {
            to.post(0, &Events::on_waiting, std::move(text));
        };
        events.on_warning = [&](std::string text) {
            to.post(0, &Events::on_warning, std::move(text));
        };
        events.sleep_until = [&](MonotonicTime until) { return to.queue().sleep(until, stop); };

        std::optional<Error> failure;
        try {
            failure = Recorder(std::move(options), std::move(events), stop).run();
        } catch (std::exception const& exception) {
            failure = Error{exception.what()};
        }
        if (failure) {
            to.post(0, &Events::on_failed, std::move(*failure));
        } else {
            to.post(0, &Events::on_end);
        }
        done.set_value();
    };
    thread_->thread = std::thread(std::move(work));
}

void Recording::stop() {
    assert(loop_.is_current());
    assert(thread_);
    thread_->stop.request_stop();
}

void Recording::consumed(std::size_t bytes) {
    channel_->queue().consumed(bytes);
}

} // namespace minuteswarm
