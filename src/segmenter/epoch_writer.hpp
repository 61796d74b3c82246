#pragma once

#include "input/packet.hpp"
#include "segmenter/chunk_muxer.hpp"
#include "segmenter/cut_policy.hpp"
#include "segmenter/epoch.hpp"
#include "segmenter/timestamp_normaliser.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// Makes chunks out of the packets of one epoch: timeline, cuts, bytes. Input thread only; knows
/// no clock and no source.
class EpochWriter {
public:
    struct Options {
        EpochNumber number;
        Container container = Container::mpeg_ts;
        MediaTime chunk_duration{};
        MediaTime first_media_time{};
        /// Bytes are handed over after so much media; 0 = with every packet.
        MediaTime span{};
    };
    struct Events {
        std::function<void(ClosedChunk const&)> on_chunk_opened; ///< before its first bytes
        std::function<void(MuxedSpan)> on_bytes;
        std::function<void(ClosedChunk const&)> on_chunk_closed;
        std::function<void(std::string)> on_warning;
    };

    /// `video` or `audio` may be null; both are used during the call only.
    static Expected<std::unique_ptr<EpochWriter>>
    open(Options const& options, AVStream const* video, AVStream const* audio, Events events);

    /// `packet`: as read from the source; changed. `read_at`: when that was.
    void write(Packet& packet, bool is_video, WallTime read_at);
    /// The source starts over; its timestamps will, too.
    void restart_source() { normaliser_.reanchor(); }
    /// Closes the chunk in progress. Nothing may be written afterwards.
    void finish();

    [[nodiscard]] MediaTime position() const {
        return position_;
    } ///< decoding time of the newest packet
    [[nodiscard]] MediaTime end() const { return to_media_time(normaliser_.end()); }
    [[nodiscard]] bool is_failing() const { return failures_in_a_row_ >= 100; }

private:
    EpochWriter(
        Options const& options, AVStream const* video, AVStream const* audio, Events events
    );

    void decide_cut(bool is_video, bool is_key, WallTime read_at);
    void begin_span(bool is_video, bool is_key, WallTime read_at);
    void mux(Packet& packet, std::size_t index);
    void add_missing_headers(Packet& packet) const;
    void hand_over();
    void close_chunk(MediaTime end);

    Options options_;
    Events events_;
    bool has_video_;
    Bytes video_headers_; // Annex B parameter sets from outside the stream
    AVCodecID video_codec_;
    TimestampNormaliser normaliser_;
    CutPolicy policy_;
    std::unique_ptr<ChunkMuxer> muxer_;

    std::optional<ClosedChunk> chunk_; // in progress: all but its duration
    bool is_chunk_opened_ = false;     // on_chunk_opened was called for it
    MuxedSpan span_;                   // in progress: all but its bytes
    bool is_span_begun_ = false;
    MediaTime entered_at_{}; // of the newest random access point
    MediaTime handed_over_at_{};
    MediaTime position_{};
    unsigned failures_in_a_row_ = 0;
    bool has_warned_of_failure_ = false;
};

} // namespace minuteswarm
