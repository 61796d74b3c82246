#include "archive/export_input.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace minuteswarm {

namespace {

char const* demuxer(Container container) {
    switch (container) {
    case Container::mpeg_ts:
        return "mpegts";
    case Container::mp3:
        return "mp3";
    case Container::adts:
        return "aac";
    case Container::fmp4:
        return "mov";
    }
    return "";
}

bool is_media(AVCodecParameters const& parameters) {
    return parameters.codec_id != AV_CODEC_ID_NONE &&
           (parameters.codec_type == AVMEDIA_TYPE_VIDEO ||
            parameters.codec_type == AVMEDIA_TYPE_AUDIO);
}

} // namespace

ExportInput::ExportInput(ChunkSequence& chunks, AvInput input)
    : chunks_(chunks)
    , input_(std::move(input))
    , indices_(input_->nb_streams) {
    for (unsigned index = 0; index < input_->nb_streams; ++index) {
        auto const* stream = input_->streams[index];
        if (!is_media(*stream->codecpar)) continue;
        indices_[index] = streams_.size();
        streams_.push_back(stream);
    }
    auto const video = std::ranges::find_if(streams_, [](AVStream const* stream) {
        return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    });
    if (video != streams_.end()) reference_ = static_cast<std::size_t>(video - streams_.begin());
}

Expected<std::unique_ptr<ExportInput>>
ExportInput::open(ChunkSequence& chunks, Container container) {
    auto* context = avformat_alloc_context();
    if (context == nullptr) throw std::bad_alloc();
    context->pb = chunks.io();
    // libav undoes one wrap of 33 bits only; `unwrap` undoes each.
    context->correct_ts_overflow = 0;
    auto const* format = av_find_input_format(demuxer(container));
    if (auto const code = avformat_open_input(&context, nullptr, format, nullptr); code < 0) {
        // libav has freed the context.
        if (!chunks.begin()) return std::unique_ptr<ExportInput>{};
        return av_error("cannot read the chunks", code);
    }
    AvInput input(context);
    auto const code = avformat_find_stream_info(context, nullptr);
    if (!chunks.begin()) return std::unique_ptr<ExportInput>{};
    if (code < 0) return av_error("cannot make out what the chunks hold", code);
    auto result = std::unique_ptr<ExportInput>(new ExportInput(chunks, std::move(input)));
    if (result->streams_.empty()) return Error{"the chunks hold neither video nor audio"};
    return result;
}

Expected<std::optional<EpochPacket>> ExportInput::next() {
    while (true) {
        AvPacket packet(av_packet_alloc());
        if (!packet) throw std::bad_alloc();
        auto const code = av_read_frame(input_.get(), packet.get());
        if (code == AVERROR_EOF) return std::optional<EpochPacket>{};
        if (code < 0) return av_error("cannot read the chunks", code);
        if (auto placed = place(std::move(packet))) return placed;
    }
}

/// Nothing for packets that have no place in the export: other streams, no timestamp.
std::optional<EpochPacket> ExportInput::place(AvPacket packet) {
    auto const index = static_cast<std::size_t>(packet->stream_index);
    if (index >= indices_.size() || !indices_[index]) return std::nullopt;
    auto const& stream = *input_->streams[index];
    if (packet->dts == AV_NOPTS_VALUE) packet->dts = packet->pts;
    if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts;
    if (packet->dts == AV_NOPTS_VALUE) return std::nullopt;
    packet->dts = unwrap(packet->dts, stream);
    packet->pts = unwrap(packet->pts, stream);
    last_ = MediaTime{av_rescale_q(packet->dts, stream.time_base, microseconds)};

    EpochPacket placed;
    placed.stream = *indices_[index];
    placed.is_reference = placed.stream == reference_;
    if (placed.is_reference && !anchor_) {
        anchor_ = MediaTime{av_rescale_q(packet->pts, stream.time_base, microseconds)};
        reorder_delay_ = *anchor_ - *last_;
    }
    placed.time = to_media_time(packet->pts, stream.time_base);
    placed.decode_time = to_media_time(packet->dts, stream.time_base);
    if (placed.is_reference) placed.decode_time += reorder_delay_;
    placed.packet = std::move(packet);
    return placed;
}

std::int64_t ExportInput::unwrap(std::int64_t timestamp, AVStream const& stream) const {
    if (!last_ || stream.pts_wrap_bits <= 0 || stream.pts_wrap_bits >= 63) return timestamp;
    auto const reference = av_rescale_q(last_->count(), microseconds, stream.time_base);
    auto const period = std::int64_t{1} << stream.pts_wrap_bits;
    auto ahead = (timestamp - reference) % period;
    if (ahead < -period / 2) ahead += period;
    if (ahead >= period / 2) ahead -= period;
    return reference + ahead;
}

MediaTime ExportInput::to_media_time(std::int64_t timestamp, AVRational base) const {
    auto const position = MediaTime{av_rescale_q(timestamp, base, microseconds)};
    return chunks_.begin().value_or(MediaTime{}) + (position - anchor_.value_or(position));
}

} // namespace minuteswarm
