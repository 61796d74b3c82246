#pragma once

#include "base/error.hpp"
#include "base/text.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
}

#include <array>
#include <memory>
#include <string_view>

namespace minuteswarm {

struct FreeIo {
    void operator()(AVIOContext* io) const {
        av_freep(&io->buffer); // libav may have replaced the one it was given
        avio_context_free(&io);
    }
};
struct CloseInput {
    void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};
struct FreeOutput {
    void operator()(AVFormatContext* output) const {
        avio_closep(&output->pb);
        avformat_free_context(output);
    }
};
struct FreePacket {
    void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeParameters {
    void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
};

using AvIo = std::unique_ptr<AVIOContext, FreeIo>;
using AvInput = std::unique_ptr<AVFormatContext, CloseInput>;
using AvOutput = std::unique_ptr<AVFormatContext, FreeOutput>;
using AvParameters = std::unique_ptr<AVCodecParameters, FreeParameters>;
using AvPacket = std::unique_ptr<AVPacket, FreePacket>;

inline constexpr AVRational microseconds{1, 1'000'000};

inline Error av_error(std::string_view what, int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> reason{};
    av_strerror(code, reason.data(), reason.size());
    return Error{concat(what, ": ", reason.data())};
}

/// libav reports on stderr, for the whole process; what matters comes as error codes.
class QuietLibav {
public:
    QuietLibav()
        : level_(av_log_get_level()) {
        av_log_set_level(AV_LOG_QUIET);
    }
    ~QuietLibav() { av_log_set_level(level_); }
    QuietLibav(QuietLibav const&) = delete;
    QuietLibav& operator=(QuietLibav const&) = delete;

private:
    int level_;
};

} // namespace minuteswarm
