#include "base/statements.hpp"

#include "base/limits.hpp"

namespace minuteswarm {

std::string_view extension(Container container) {
    switch (container) {
    case Container::mpeg_ts:
        return "ts";
    case Container::mp3:
        return "mp3";
    case Container::adts:
        return "aac";
    case Container::fmp4:
        return "mp4";
    }
    return "bin";
}

std::string_view mime_type(Container container) {
    switch (container) {
    case Container::mpeg_ts:
        return "video/mp2t";
    case Container::mp3:
        return "audio/mpeg";
    case Container::adts:
        return "audio/aac";
    case Container::fmp4:
        return "video/mp4";
    }
    return "application/octet-stream";
}

std::uint32_t piece_length(std::uint64_t size) {
    std::uint64_t length = limits::piece_length_min;
    while (length * limits::pieces_per_chunk < size)
        length *= 2;
    return static_cast<std::uint32_t>(length);
}

std::uint32_t piece_count(std::uint64_t size) {
    auto const length = piece_length(size);
    return static_cast<std::uint32_t>((size + length - 1) / length);
}

} // namespace minuteswarm
