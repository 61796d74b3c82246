#include "segmenter/chunk_muxer.hpp"

#include "base/text.hpp"
#include "segmenter/stream_parameters.hpp"

#include <new>
#include <utility>

namespace minuteswarm {
namespace {

constexpr int buffer_size = 32 * 1024;

// How far PCR runs ahead, and twice the span of audio that is packed into one PES packet. Without
// it each audio frame would be padded to packets of its own.
constexpr int max_delay_us = 200'000;
constexpr int max_delay_audio_us = 400'000;

char const* format_name(Container container) {
    return container == Container::adts ? "adts" : "mpegts";
}

/// The dictionary of muxer options, freed with its scope.
class MuxerOptions {
public:
    MuxerOptions() = default;
    ~MuxerOptions() { av_dict_free(&dictionary_); }
    MuxerOptions(MuxerOptions const&) = delete;
    MuxerOptions& operator=(MuxerOptions const&) = delete;
    void set(char const* key, char const* value) { av_dict_set(&dictionary_, key, value, 0); }
    AVDictionary** get() { return &dictionary_; }

private:
    AVDictionary* dictionary_ = nullptr;
};

} // namespace

void ChunkMuxer::FreeIo::operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
}

ChunkMuxer::ChunkMuxer(Container container)
    : container_(container) {}

ChunkMuxer::~ChunkMuxer() {
    if (has_header_) av_write_trailer(format_.get()); // frees what the muxer holds
}

Expected<std::unique_ptr<ChunkMuxer>>
ChunkMuxer::open(Container container, std::vector<AVCodecParameters const*> const& streams) {
    std::unique_ptr<ChunkMuxer> muxer(new ChunkMuxer(container));
    if (container != Container::mp3) { // its frames are complete as they are
        if (auto error = muxer->set_up(streams)) return std::move(*error);
    }
    return muxer;
}

std::optional<Error> ChunkMuxer::set_up(std::vector<AVCodecParameters const*> const& streams) {
    AVFormatContext* format = nullptr;
    auto code = avformat_alloc_output_context2(&format, nullptr, format_name(container_), nullptr);
    if (code < 0) return Error{concat("this libav has no ", format_name(container_), " muxer")};
    format_.reset(format);

    auto* buffer = static_cast<std::uint8_t*>(av_malloc(buffer_size));
    if (!buffer) throw std::bad_alloc();
    io_.reset(avio_alloc_context(buffer, buffer_size, 1, this, nullptr, &collect, nullptr));
    if (!io_) {
        av_free(buffer);
        throw std::bad_alloc();
    }
    io_->seekable = 0;
    format->pb = io_.get();
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    format->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
    auto const has_video = streams.front()->codec_type == AVMEDIA_TYPE_VIDEO;
    format->max_delay = has_video ? max_delay_us : max_delay_audio_us;

    for (auto const* parameters : streams) {
        auto* stream = avformat_new_stream(format, nullptr);
        if (!stream || avcodec_parameters_copy(stream->codecpar, parameters) < 0)
            throw std::bad_alloc();
        stream->codecpar->codec_tag = 0; // means another thing in each container
        stream->time_base = {1, 90'000};
    }
    code = write_header();
    if (code < 0) return Error{concat("cannot write these streams: ", libav_text(code))};
    has_header_ = true;
    return std::nullopt;
}

int ChunkMuxer::write_header() {
    MuxerOptions options;
    if (container_ == Container::mpeg_ts) {
        options.set("mpegts_copyts", "1");
        // Every chunk begins with these tables; repeated inside they would cost 30 kbit/s.
        options.set("pat_period", "60");
        options.set("sdt_period", "60");
        options.set("pcr_period", "80");
    }
    return avformat_write_header(format_.get(), options.get());
}

bool ChunkMuxer::is_complete_by_itself(Packet const& packet) const {
    if (container_ == Container::mp3) return true;
    return container_ == Container::adts && adts_header_size(packet.bytes()) > 0;
}

std::optional<Error> ChunkMuxer::write(Packet& packet, std::size_t index) {
    if (is_complete_by_itself(packet)) {
        append(bytes_, packet.bytes());
        return std::nullopt;
    }
    auto const* stream = format_->streams[index];
    packet->stream_index = static_cast<int>(index);
    av_packet_rescale_ts(packet.get(), AVRational{1, 90'000}, stream->time_base);
    // Not the interleaving call: it holds packets back until every stream has one.
    auto const code = av_write_frame(format_.get(), packet.get());
    if (code < 0) return Error{libav_text(code)};
    avio_flush(io_.get());
    return std::nullopt;
}

void ChunkMuxer::complete() {
    if (!format_) return;
    av_write_frame(format_.get(), nullptr); // audio frames that wait for a full PES packet
    avio_flush(io_.get());
    if (container_ == Container::mpeg_ts)
        av_opt_set(format_->priv_data, "mpegts_flags", "+resend_headers", 0);
}

Bytes ChunkMuxer::take() {
    return std::exchange(bytes_, {});
}

int ChunkMuxer::collect(void* self, std::uint8_t* bytes, int size) {
    append(static_cast<ChunkMuxer*>(self)->bytes_, {bytes, static_cast<std::size_t>(size)});
    return size;
}

} // namespace minuteswarm
