#include "archive/export_output.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

namespace minuteswarm {

namespace {

struct Ending {
    std::string_view ending;
    char const* muxer;
};
constexpr std::array endings{
    Ending{".mp4", "mp4"},
    Ending{".m4a", "mp4"},
    Ending{".mov", "mov"},
    Ending{".mkv", "matroska"},
    Ending{".mka", "matroska"},
    Ending{".webm", "webm"},
    Ending{".ts", "mpegts"},
    Ending{".mp3", "mp3"},
    Ending{".aac", "adts"},
};

/// libav knows for most formats what they can hold; its MPEG-TS muxer takes anything, as data
/// nobody can play.
bool can_hold(AVOutputFormat const& format, AVCodecID codec) {
    constexpr std::array in_transport_stream{
        AV_CODEC_ID_H264,
        AV_CODEC_ID_HEVC,
        AV_CODEC_ID_MPEG2VIDEO,
        AV_CODEC_ID_MPEG4,
        AV_CODEC_ID_AAC,
        AV_CODEC_ID_MP2,
        AV_CODEC_ID_MP3,
        AV_CODEC_ID_AC3,
        AV_CODEC_ID_EAC3,
        AV_CODEC_ID_DTS,
        AV_CODEC_ID_OPUS,
    };
    if (std::string_view(format.name) == "mpegts") {
        return std::ranges::find(in_transport_stream, codec) != in_transport_stream.end();
    }
    return codec == format.audio_codec ||
           avformat_query_codec(&format, codec, FF_COMPLIANCE_EXPERIMENTAL) == 1;
}

AVOutputFormat const* find_format(std::filesystem::path const& path) {
    auto const ending = path.extension().string();
    auto const found = std::ranges::find(endings, ending, &Ending::ending);
    return found == endings.end() ? nullptr : av_guess_format(found->muxer, nullptr, nullptr);
}

bool is_mp4(AVOutputFormat const& format) {
    return std::string_view(format.name) == "mp4" || std::string_view(format.name) == "mov";
}

bool has_same_parameters(AVCodecParameters const& a, AVCodecParameters const& b) {
    auto const extra = [](AVCodecParameters const& parameters) {
        return ByteView(parameters.extradata, static_cast<std::size_t>(parameters.extradata_size));
    };
    return a.codec_type == b.codec_type && a.codec_id == b.codec_id && a.width == b.width &&
           a.height == b.height && a.sample_rate == b.sample_rate &&
           a.ch_layout.nb_channels == b.ch_layout.nb_channels &&
           std::ranges::equal(extra(a), extra(b));
}

} // namespace

std::string export_endings() {
    std::string text;
    for (auto const& ending : endings) {
        if (!text.empty()) text += ", ";
        text += ending.ending;
    }
    return text;
}

ExportOutput::ExportOutput(std::filesystem::path path, AvOutput output)
    : path_(std::move(path))
    , output_(std::move(output)) {}

ExportOutput::~ExportOutput() {
    if (!output_) return;
    output_.reset();
    std::error_code ignored;
    std::filesystem::remove(unfinished(), ignored);
}

std::filesystem::path ExportOutput::unfinished() const {
    return path_.string() + ".unfinished";
}

Error ExportOutput::failure(int code) const {
    return av_error(concat("cannot write ", path_.string()), code);
}

Expected<ExportOutput> ExportOutput::open(
    std::filesystem::path const& path,
    std::vector<AVStream const*> const& streams,
    std::string const& title
) {
    auto const* format = find_format(path);
    if (format == nullptr) {
        return Error{concat("the output's ending must be one of ", export_endings())};
    }
    for (auto const* stream : streams) {
        auto const codec = stream->codecpar->codec_id;
        if (can_hold(*format, codec)) continue;
        return Error{concat(
            "a ",
            path.extension().string(),
            " file can't hold ",
            avcodec_get_name(codec),
            ": take .mkv"
        )};
    }
    AVFormatContext* context = nullptr;
    auto const code = avformat_alloc_output_context2(&context, format, nullptr, nullptr);
    if (code < 0) return av_error(concat("cannot write ", path.string()), code);
    ExportOutput output(path, AvOutput(context));
    if (auto started = output.start(streams, title); !started) return started.error();
    return output;
}

Completion
ExportOutput::start(std::vector<AVStream const*> const& streams, std::string const& title) {
    for (auto const* from : streams) {
        auto* to = avformat_new_stream(output_.get(), nullptr);
        Track track{AvParameters(avcodec_parameters_alloc()), from->time_base, std::nullopt};
        if (to == nullptr || !track.parameters ||
            avcodec_parameters_copy(to->codecpar, from->codecpar) < 0 ||
            avcodec_parameters_copy(track.parameters.get(), from->codecpar) < 0) {
            throw std::bad_alloc();
        }
        to->time_base = from->time_base;
        to->codecpar->codec_tag = 0;
        // Apple's players know HEVC by this tag only.
        if (to->codecpar->codec_id == AV_CODEC_ID_HEVC && is_mp4(*output_->oformat)) {
            to->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
        }
        tracks_.push_back(std::move(track));
    }
    if (!title.empty()) av_dict_set(&output_->metadata, "title", title.c_str(), 0);
    output_->max_delay = 700'000; // with none, each audio frame becomes a padded TS packet
    output_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL; // FLAC in MP4
    output_->url = av_strdup(unfinished().c_str());              // faststart opens it again
    if (auto const code = avio_open(&output_->pb, output_->url, AVIO_FLAG_WRITE); code < 0) {
        return failure(code);
    }
    AVDictionary* options = nullptr;
    if (is_mp4(*output_->oformat)) av_dict_set(&options, "movflags", "+faststart", 0);
    auto const code = avformat_write_header(output_.get(), &options);
    av_dict_free(&options);
    if (code < 0) return failure(code);
    return std::monostate{};
}

bool ExportOutput::fits(std::vector<AVStream const*> const& streams) const {
    if (streams.size() != output_->nb_streams) return false;
    for (std::size_t index = 0; index < streams.size(); ++index) {
        auto const& ours = *tracks_[index].parameters;
        if (!has_same_parameters(ours, *streams[index]->codecpar)) return false;
    }
    return true;
}

void ExportOutput::join(EpochPacket const& first, std::vector<AVStream const*> const& streams) {
    for (std::size_t index = 0; index < streams.size(); ++index) {
        tracks_[index].input_base = streams[index]->time_base;
    }
    auto const base = streams[first.stream]->time_base;
    shift_ = end_ - MediaTime{av_rescale_q(first.packet->pts, base, microseconds)};
}

Completion ExportOutput::write(EpochPacket placed) {
    auto& track = tracks_[placed.stream];
    auto& packet = *placed.packet;
    auto const shift = av_rescale_q(shift_.count(), microseconds, track.input_base);
    packet.pts += shift;
    packet.dts += shift;
    auto const& stream = *output_->streams[placed.stream];
    auto const begin = MediaTime{av_rescale_q(packet.pts, track.input_base, microseconds)};
    auto const length = MediaTime{av_rescale_q(packet.duration, track.input_base, microseconds)};
    av_packet_rescale_ts(&packet, track.input_base, stream.time_base);
    if (track.last_dts && packet.dts <= *track.last_dts) {
        // Where epochs meet, the audio of the new one may start before that of the old one ended.
        if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) return std::monostate{};
        packet.dts = *track.last_dts + 1;
        packet.pts = std::max(packet.pts, packet.dts);
    }
    track.last_dts = packet.dts;
    end_ = std::max(end_, begin + length);
    packet.stream_index = static_cast<int>(placed.stream);
    packet.pos = -1;
    if (auto const code = av_interleaved_write_frame(output_.get(), &packet); code < 0) {
        return failure(code);
    }
    if (output_->pb->error < 0) return failure(output_->pb->error);
    return std::monostate{};
}

Completion ExportOutput::finish() {
    if (auto const code = av_write_trailer(output_.get()); code < 0) return failure(code);
    avio_flush(output_->pb);
    if (output_->pb->error < 0) return failure(output_->pb->error);
    if (auto const code = avio_closep(&output_->pb); code < 0) return failure(code);
    auto moved = move_file(unfinished(), path_);
    if (moved) output_.reset();
    return moved;
}

} // namespace minuteswarm
