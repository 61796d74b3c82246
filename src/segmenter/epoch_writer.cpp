#include "segmenter/epoch_writer.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "segmenter/stream_parameters.hpp"

#include <cstring>
#include <utility>

namespace minuteswarm {
namespace {

// So that PCR, which runs ahead of decoding times, is never negative.
constexpr Ticks clock_start = 10 * ticks_per_second;

constexpr MediaTime sound_entry_interval = std::chrono::seconds{1};
constexpr std::size_t hand_over_size = 64 * limits::KiB;

std::vector<TimestampNormaliser::Stream> timelines(AVStream const* video, AVStream const* audio) {
    std::vector<TimestampNormaliser::Stream> result;
    for (auto const* stream : {video, audio}) {
        if (!stream) continue;
        TimestampNormaliser::Stream timeline;
        timeline.time_base = stream->time_base;
        timeline.wrap_bits = stream->pts_wrap_bits > 0 ? stream->pts_wrap_bits : 64;
        auto const& parameters = *stream->codecpar;
        auto const rate = stream->avg_frame_rate;
        if (stream == video && rate.num > 0 && rate.den > 0)
            timeline.frame_duration = av_rescale(ticks_per_second, rate.den, rate.num);
        if (stream == audio && parameters.frame_size > 0 && parameters.sample_rate > 0)
            timeline.frame_duration =
                av_rescale(ticks_per_second, parameters.frame_size, parameters.sample_rate);
        timeline.reordered_frames = stream == video ? parameters.video_delay : 0;
        result.push_back(timeline);
    }
    return result;
}

std::optional<std::int64_t> known(std::int64_t timestamp) {
    if (timestamp == no_timestamp) return std::nullopt;
    return timestamp;
}

} // namespace

Expected<std::unique_ptr<EpochWriter>> EpochWriter::open(
    Options const& options, AVStream const* video, AVStream const* audio, Events events
) {
    std::vector<AVCodecParameters const*> streams;
    if (video) streams.push_back(video->codecpar);
    if (audio) streams.push_back(audio->codecpar);
    auto muxer = ChunkMuxer::open(options.container, streams);
    if (!muxer) return muxer.error();
    std::unique_ptr<EpochWriter> writer(new EpochWriter(options, video, audio, std::move(events)));
    writer->muxer_ = *std::move(muxer);
    return writer;
}

EpochWriter::EpochWriter(
    Options const& options, AVStream const* video, AVStream const* audio, Events events
)
    : options_(options)
    , events_(std::move(events))
    , has_video_(video != nullptr)
    , video_codec_(video ? video->codecpar->codec_id : AV_CODEC_ID_NONE)
    , normaliser_(timelines(video, audio), to_ticks(options.first_media_time))
    , policy_({options.chunk_duration, video != nullptr})
    , position_(options.first_media_time) {
    if (!video || video->codecpar->extradata_size <= 0) return;
    auto const size = static_cast<std::size_t>(video->codecpar->extradata_size);
    ByteView const extradata{video->codecpar->extradata, size};
    if (is_annex_b(extradata)) append(video_headers_, extradata);
}

void EpochWriter::write(Packet& packet, bool is_video, WallTime read_at) {
    if (!chunk_ && !policy_.can_start(is_video, packet.is_key())) return;
    auto const index = is_video || !has_video_ ? std::size_t{0} : std::size_t{1};
    auto const stamp =
        normaliser_.normalise(index, {known(packet->pts), known(packet->dts), packet->duration});
    auto const first = to_ticks(options_.first_media_time);
    if (stamp.dts < first) return; // sound from before the first picture
    position_ = to_media_time(stamp.dts);
    decide_cut(is_video, packet.is_key(), read_at);
    begin_span(is_video, packet.is_key(), read_at);

    packet->pts = stamp.pts + clock_start;
    packet->dts = stamp.dts + clock_start;
    packet->duration = stamp.duration;
    if (is_video && packet.is_key()) add_missing_headers(packet);
    mux(packet, index);
}

void EpochWriter::decide_cut(bool is_video, bool is_key, WallTime read_at) {
    ClosedChunk next{options_.number, position_, {}, read_at, 0, !chunk_, true};
    if (!chunk_) {
        policy_.start(position_);
        handed_over_at_ = position_;
        chunk_ = next;
        return;
    }
    auto const decision = policy_.decide({is_video, is_key, position_, chunk_->size});
    if (auto warning = policy_.take_warning()) events_.on_warning(std::move(*warning));
    if (decision == CutPolicy::Decision::keep) return;
    close_chunk(position_);
    next.is_independent = decision == CutPolicy::Decision::cut;
    chunk_ = next;
}

/// A random access point inside a chunk begins with headers and a span, as a chunk does: whoever
/// follows the live edge can start there. Sound alone could start with each packet.
void EpochWriter::begin_span(bool is_video, bool is_key, WallTime read_at) {
    auto const is_chunk_start = chunk_->size == 0 && muxer_->waiting() == 0;
    auto const is_entry = is_chunk_start ? chunk_->is_independent
                          : has_video_   ? is_video && is_key
                                         : position_ - entered_at_ >= sound_entry_interval;
    if (is_entry && !is_chunk_start) {
        muxer_->complete();
        hand_over();
    }
    if (!is_entry && is_span_begun_) return;
    if (is_entry) entered_at_ = position_;
    is_span_begun_ = true;
    span_ = {{}, position_, read_at, is_entry};
}

void EpochWriter::mux(Packet& packet, std::size_t index) {
    if (auto const error = muxer_->write(packet, index)) {
        ++failures_in_a_row_;
        if (!std::exchange(has_warned_of_failure_, true))
            events_.on_warning(concat("left out a damaged packet: ", error->message));
        return;
    }
    failures_in_a_row_ = 0;
    auto const is_due = position_ - handed_over_at_ >= options_.span;
    if (is_due || muxer_->waiting() >= hand_over_size) hand_over();
}

/// Some sources send parameter sets only once, outside the stream; yet each chunk must play alone.
void EpochWriter::add_missing_headers(Packet& packet) const {
    if (video_headers_.empty() || !is_annex_b(packet.bytes())) return;
    if (!parameter_bytes(video_codec_, packet.bytes()).empty()) return;
    auto const size = packet->size;
    auto const extra = static_cast<int>(video_headers_.size());
    if (av_grow_packet(packet.get(), extra) < 0 || av_packet_make_writable(packet.get()) < 0)
        return;
    std::memmove(packet->data + extra, packet->data, static_cast<std::size_t>(size));
    std::memcpy(packet->data, video_headers_.data(), video_headers_.size());
}

void EpochWriter::hand_over() {
    handed_over_at_ = position_;
    if (muxer_->waiting() == 0) return;
    span_.bytes = muxer_->take();
    is_span_begun_ = false;
    chunk_->size += span_.bytes.size();
    if (!std::exchange(is_chunk_opened_, true) && events_.on_chunk_opened) {
        events_.on_chunk_opened(*chunk_);
    }
    events_.on_bytes(std::move(span_));
}

void EpochWriter::close_chunk(MediaTime end) {
    muxer_->complete();
    hand_over();
    chunk_->duration = end - chunk_->media_time;
    if (std::exchange(is_chunk_opened_, false)) events_.on_chunk_closed(*chunk_);
}

void EpochWriter::finish() {
    if (!chunk_) return;
    close_chunk(end());
    chunk_.reset();
}

} // namespace minuteswarm
