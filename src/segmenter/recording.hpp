#pragma once

#include "base/event_loop.hpp"
#include "segmenter/epoch.hpp"
#include "segmenter/recorder.hpp"

#include <functional>
#include <memory>
#include <string>

namespace minuteswarm {

/// The publisher's source: chunks and their bytes as they come, over all sessions of the input.
/// Lives on the loop; owns the input thread, which stops and waits while more than
/// `limits::input_queue` bytes are not `consumed`.
class Recording {
public:
    using Options = Recorder::Options;
    using Epoch = minuteswarm::Epoch;
    using ClosedChunk = minuteswarm::ClosedChunk;

    /// All called on the loop, in order; `on_failed` or `on_end` is the last.
    struct Events {
        std::function<void(Epoch const&)> on_epoch;
        /// A chunk begins: all that is known of it before its end. Its first bytes follow.
        std::function<void(ClosedChunk const&)> on_chunk_opened;
        /// Of the chunk in progress; `on_chunk_closed` follows its last ones.
        std::function<void(MuxedSpan)> on_bytes;
        std::function<void(ClosedChunk const&)> on_chunk_closed;
        std::function<void(std::string)> on_waiting;
        std::function<void(std::string)> on_warning;
        std::function<void(Error)>
            on_failed; ///< the input could not be opened, or is lost for good
        std::function<void()> on_end;
    };

    Recording(EventLoop& loop, Options options, Events events);
    /// Drops what has not been delivered; returns within a second, also out of any wait.
    ~Recording();
    Recording(Recording const&) = delete;
    Recording& operator=(Recording const&) = delete;

    void start();
    /// Closes the chunk in progress; `on_chunk_closed` and `on_end` follow. May be repeated.
    void stop();
    /// That many of the bytes from `on_bytes` are dealt with.
    void consumed(std::size_t bytes);

private:
    class Channel;
    struct Thread;

    EventLoop& loop_;
    Options options_;
    std::shared_ptr<Channel> channel_;
    std::unique_ptr<Thread> thread_;
};

} // namespace minuteswarm
