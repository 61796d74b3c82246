#include "input/av_input.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

namespace minuteswarm {
namespace {

using namespace std::chrono_literals;

// An encoder that says nothing for so long has gone: UDP and half-open connections show no end.
constexpr auto silence_limit = 10s;
constexpr auto probe_timeout = 20s;

// Waiting for more media than this only delays the first picture.
constexpr std::int64_t live_analysis = AV_TIME_BASE;
constexpr std::int64_t file_analysis = 5 * std::int64_t{AV_TIME_BASE};

/// libav writes to stderr by itself, where the status line is.
void silence_libav() {
    static std::once_flag once;
    std::call_once(once, [] {
        av_log_set_level(AV_LOG_QUIET);
        avformat_network_init();
    });
}

std::string path_of(SourceUrl const& source) {
    return source.url.substr(5);
} // after "file:"

bool is_fifo(SourceUrl const& source) {
    struct stat status {};
    if (source.kind != SourceKind::file) return false;
    return ::stat(path_of(source).c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

/// The dictionary of options, freed with its scope.
class Options {
public:
    explicit Options(SourceUrl const& source) {
        for (auto const& [key, value] : source.options)
            av_dict_set(&dictionary_, key.c_str(), value.c_str(), 0);
    }
    ~Options() { av_dict_free(&dictionary_); }
    Options(Options const&) = delete;
    Options& operator=(Options const&) = delete;
    AVDictionary** get() { return &dictionary_; }

private:
    AVDictionary* dictionary_ = nullptr;
};

AVStream* best_stream(AVFormatContext& format, AVMediaType type) {
    AVStream* best = nullptr;
    auto const better = [](AVStream const& a, AVStream const& b) {
        auto const is_default = [](AVStream const& stream) {
            return (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
        };
        if (is_default(a) != is_default(b)) return is_default(a);
        auto const pixels = [](AVStream const& stream) {
            return std::int64_t{stream.codecpar->width} * stream.codecpar->height;
        };
        if (pixels(a) != pixels(b)) return pixels(a) > pixels(b);
        return a.codecpar->ch_layout.nb_channels > b.codecpar->ch_layout.nb_channels;
    };
    for (unsigned i = 0; i < format.nb_streams; ++i) {
        auto* const stream = format.streams[i];
        if (stream->codecpar->codec_type != type) continue;
        if (stream->codecpar->codec_id == AV_CODEC_ID_NONE) continue;
        if ((stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) continue;
        if (!best || better(*stream, *best)) best = stream;
    }
    return best;
}

bool is_listening_refused(int code) {
    return code == AVERROR(EADDRINUSE) || code == AVERROR(EACCES) ||
           code == AVERROR(EADDRNOTAVAIL) || code == AVERROR(EINVAL);
}

} // namespace

AvInput::AvInput(SourceUrl const& source, std::stop_token stop)
    : kind_(is_fifo(source) ? SourceKind::pipe : source.kind)
    , stop_(std::move(stop)) {}

AvInput::~AvInput() {
    limit_wait(0s); // closing may say goodbye over a dead connection
    format_.reset();
}

AvInput::Opening AvInput::open(SourceUrl const& source, std::stop_token stop) {
    silence_libav();
    std::unique_ptr<AvInput> input(new AvInput(source, std::move(stop)));
    auto const code = input->connect(source);
    if (code < 0) return input->explain(source, code);
    input->choose_streams();
    if (!input->video_ && !input->audio_) {
        auto failure = concat(source.shown, " holds no video and no audio");
        return {nullptr, std::move(failure), source.kind == SourceKind::listener};
    }
    return {std::move(input), {}, false};
}

int AvInput::connect(SourceUrl const& source) {
    auto* format = avformat_alloc_context();
    if (!format) throw std::bad_alloc();
    format->interrupt_callback = {&is_interrupted, this};
    format->fps_probe_size = 0;      // frame rates are not needed: saves the first second
    format->correct_ts_overflow = 0; // the timestamp normaliser unwraps, also the second time
    format->max_analyze_duration = kind_ == SourceKind::file ? file_analysis : live_analysis;

    if (kind_ == SourceKind::pipe) {
        auto const code = attach_pipe(source);
        if (code < 0) {
            avformat_free_context(format);
            return code;
        }
        format->pb = pipe_->io();
    }

    Options options(source);
    limit_wait(source.open_timeout);
    auto const* url = pipe_ ? nullptr : source.url.c_str();
    auto code = avformat_open_input(&format, url, nullptr, options.get());
    if (code < 0) return code; // has freed `format`
    format_.reset(format);

    if (kind_ == SourceKind::listener || kind_ == SourceKind::live) limit_wait(probe_timeout);
    code = avformat_find_stream_info(format, nullptr);
    return stop_.stop_requested() ? AVERROR_EXIT : code;
}

int AvInput::attach_pipe(SourceUrl const& source) {
    auto const is_stdin = source.kind == SourceKind::pipe;
    // Opened so, a FIFO does not block until its writer comes.
    auto const descriptor =
        is_stdin ? STDIN_FILENO
                 : ::open(path_of(source).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return AVERROR(errno);
    pipe_ = std::make_unique<DescriptorReader>(descriptor, !is_stdin, stop_);
    return 0;
}

AvInput::Opening AvInput::explain(SourceUrl const& source, int code) const {
    if (stop_.stop_requested()) return {};
    auto const& name = source.shown;
    auto const says = [](auto const&... parts) {
        return Opening{nullptr, concat(parts...), false};
    };
    if (kind_ == SourceKind::listener) {
        if (is_listening_refused(code))
            return says("cannot listen at ", name, ": ", libav_text(code), "; choose another port");
        auto const is_turn_over = code == AVERROR_EXIT || code == AVERROR(ETIMEDOUT);
        if (is_turn_over || code == AVERROR(EAGAIN)) return {nullptr, {}, true};
        return {nullptr, concat("the encoder at ", name, " left: ", libav_text(code)), true};
    }
    if (code == AVERROR_EXIT) return {nullptr, concat(name, " does not answer"), true};
    if (code == AVERROR_PROTOCOL_NOT_FOUND)
        return says(name, " has an unknown protocol; use rtmp, srt, http, udp, tcp or a file");
    if (kind_ == SourceKind::live)
        return {nullptr, concat("cannot open ", name, ": ", libav_text(code)), true};

    if (pipe_ && !pipe_->has_read()) return says("no bytes came on ", name);
    if (code == AVERROR(ENOENT)) return says(name, " does not exist");
    if (code == AVERROR(EACCES)) return says(name, " may not be read: permission denied");
    std::error_code ignored;
    if (!pipe_ && std::filesystem::is_directory(path_of(source), ignored))
        return says(name, " is a folder; give a media file");
    if (!pipe_ && std::filesystem::file_size(path_of(source), ignored) == 0 && !ignored)
        return says(name, " is empty");
    if (code == AVERROR_INVALIDDATA || code == AVERROR_EOF)
        return says(name, " is not recognised as audio or video");
    return says("cannot open ", name, ": ", libav_text(code));
}

void AvInput::choose_streams() {
    video_ = best_stream(*format_, AVMEDIA_TYPE_VIDEO);
    audio_ = best_stream(*format_, AVMEDIA_TYPE_AUDIO);
    known_streams_ = format_->nb_streams;
    for (unsigned i = 0; i < known_streams_; ++i) {
        auto* const stream = format_->streams[i];
        auto const is_wanted = stream == video_ || stream == audio_;
        stream->discard = is_wanted ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
}

AvInput::Read AvInput::read(Packet& packet) {
    auto const is_remote = kind_ == SourceKind::listener || kind_ == SourceKind::live;
    for (;;) {
        if (stop_.stop_requested()) return Read::stopped;
        limit_wait(is_remote ? std::optional<std::chrono::seconds>(silence_limit) : std::nullopt);
        av_packet_unref(packet.get());
        auto const code = av_read_frame(format_.get(), packet.get());
        if (stop_.stop_requested()) return Read::stopped;
        if (code == AVERROR(EAGAIN)) continue;
        if (code < 0) {
            auto const is_over = code == AVERROR_EOF && kind_ != SourceKind::listener;
            auto const is_hls = std::string_view(format_->iformat->name).starts_with("hls");
            if (is_over && (!is_remote || is_recorded() || is_hls)) return Read::end;
            return is_remote ? Read::lost : Read::end; // a damaged file ends where it is damaged
        }
        if (format_->nb_streams != known_streams_) {
            auto const* const had_video = video_;
            auto const* const had_audio = audio_;
            if (!had_video) video_ = best_stream(*format_, AVMEDIA_TYPE_VIDEO);
            if (!had_audio) audio_ = best_stream(*format_, AVMEDIA_TYPE_AUDIO);
            has_stream_change_ |= video_ != had_video || audio_ != had_audio;
            // A stream's codec may be known only packets later: look again until both are there.
            if (video_ && audio_) known_streams_ = format_->nb_streams;
        }
        auto const* const from = stream(packet->stream_index);
        if (from && (from == video_ || from == audio_) && packet->size > 0) return Read::packet;
    }
}

AVStream* AvInput::stream(int index) const {
    auto const at = static_cast<unsigned>(index);
    return index >= 0 && at < format_->nb_streams ? format_->streams[at] : nullptr;
}

bool AvInput::take_stream_change() {
    return std::exchange(has_stream_change_, false);
}

bool AvInput::rewind() {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    constexpr auto highest = std::numeric_limits<std::int64_t>::max();
    // A transport stream has no index: by time, its first keyframe would not be found.
    if ((format_->iformat->flags & AVFMT_TS_DISCONT) != 0)
        return avformat_seek_file(format_.get(), -1, 0, 0, 0, AVSEEK_FLAG_BYTE) >= 0;
    auto const start = format_->start_time == no_timestamp ? 0 : format_->start_time;
    return avformat_seek_file(format_.get(), -1, lowest, start, highest, 0) >= 0;
}

bool AvInput::is_recorded() const {
    if (kind_ == SourceKind::file || kind_ == SourceKind::pipe) return true;
    return kind_ == SourceKind::live && format_->duration != no_timestamp && format_->duration > 0;
}

std::uint64_t AvInput::bitrate() const {
    std::int64_t sum = 0;
    for (auto const* stream : {video_, audio_})
        if (stream) sum += stream->codecpar->bit_rate;
    if (sum == 0 || (video_ && video_->codecpar->bit_rate == 0)) sum = format_->bit_rate;
    return sum > 0 ? static_cast<std::uint64_t>(sum) : 0;
}

void AvInput::limit_wait(std::optional<std::chrono::seconds> timeout) {
    deadline_.reset();
    if (timeout) deadline_ = MonotonicClock::now() + *timeout;
}

int AvInput::is_interrupted(void* self) {
    auto const& input = *static_cast<AvInput const*>(self);
    if (input.stop_.stop_requested()) return 1;
    return input.deadline_ && MonotonicClock::now() >= *input.deadline_ ? 1 : 0;
}

} // namespace minuteswarm
