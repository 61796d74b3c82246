#pragma once

/// The one place that includes libav's C headers.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
}

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace minuteswarm {

/// AV_NOPTS_VALUE without the C cast.
inline constexpr std::int64_t no_timestamp = std::numeric_limits<std::int64_t>::min();

/// What libav says about an error code, for a person.
inline std::string libav_text(int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(code, text.data(), text.size());
    return text.data();
}

} // namespace minuteswarm
