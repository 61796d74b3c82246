#pragma once

#include "input/av_input.hpp"
#include "input/pacer.hpp"
#include "segmenter/epoch.hpp"
#include "segmenter/epoch_writer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace minuteswarm {

/// The work of the input thread: opens the source, session after session, and turns what it reads
/// into epochs and chunks. Lives on that thread; everything it has to say it says in `Events`.
class Recorder {
public:
    struct Options {
        std::string url;
        MediaTime chunk_duration{};
        bool as_fast_as_possible = false;
        bool is_looped = false;
        MediaTime first_media_time{};
        EpochNumber first_epoch;
        WallTime event_start{};
        std::optional<Container> container; ///< that the event began with, if it did
    };
    struct Events {
        std::function<void(Epoch const&)> on_epoch;
        std::function<void(ClosedChunk const&)> on_chunk_opened;
        std::function<void(MuxedSpan)> on_bytes;
        std::function<void(ClosedChunk const&)> on_chunk_closed;
        std::function<void(std::string)> on_waiting;
        std::function<void(std::string)> on_warning;
        /// Sleeps; false when stopped meanwhile.
        std::function<bool(MonotonicTime)> sleep_until;
    };

    Recorder(Options options, Events events, std::stop_token stop);

    /// Blocks until the source ends or fails for good, or is stopped; the chunk in progress has
    /// then been closed. Returns why it failed, if it did.
    std::optional<Error> run();

private:
    enum class Outcome { ended, lost, refused, stopped };

    std::unique_ptr<AvInput> open();
    bool wait_before_retry(std::string const& reason);
    Outcome record_session(AvInput& input);
    bool start_over(AvInput& input);
    bool is_acceptable(AvInput& input);
    void adopt_streams(AvInput& input);
    bool write(AvInput& input, Packet& packet);
    bool keep_pace();
    bool have_parameters_changed(Packet const& packet, bool is_video);
    bool begin_epoch(AvInput& input);
    [[nodiscard]] Epoch describe_epoch(AvInput const& input, EpochNumber number) const;
    void end_epoch();
    void warn_once(std::string const& warning);
    [[nodiscard]] MediaTime next_media_time() const;

    Options options_;
    Events events_;
    std::stop_token stop_;
    SourceUrl source_;
    WallTime started_at_;
    MonotonicTime started_;
    MediaTime end_of_previous_;
    EpochNumber next_epoch_;
    BackOff back_off_;
    std::optional<Error> failure_;
    std::string last_warning_;
    bool had_session_ = false;

    // of the session
    Container container_ = Container::mpeg_ts;
    AVStream* video_ = nullptr;
    AVStream* audio_ = nullptr;
    bool is_paced_ = false;
    bool has_progress_ = false;
    std::optional<Pacer> pacer_;
    Bytes video_parameters_;
    Bytes audio_parameters_;
    std::unique_ptr<EpochWriter> writer_;
};

} // namespace minuteswarm
