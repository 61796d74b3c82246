#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/statements.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string>

namespace minuteswarm {

/// What is known of an epoch when it begins.
struct Epoch {
    EpochNumber number;
    Container container = Container::mpeg_ts;
    std::string codecs;        ///< RFC 6381, comma separated; empty when unknown
    std::uint64_t bitrate = 0; ///< bits per second; 0 when unknown
    std::string description;   ///< "h264 1280x720 30 fps + aac 48 kHz stereo"
};

/// A chunk whose last byte has been handed over.
struct ClosedChunk {
    EpochNumber epoch;
    MediaTime media_time{};
    MediaTime duration{};
    WallTime wall_time{}; ///< when its first packet was read
    std::uint64_t size = 0;
    bool is_discontinuity = false; ///< first of its epoch
    bool is_independent = true;    ///< starts at a random access point
};

/// The next bytes of the chunk in progress.
struct MuxedSpan {
    Bytes bytes;
    MediaTime media_time{}; ///< of its first packet
    WallTime wall_time{};   ///< when that was read
    bool is_random_access_point = false;
};

} // namespace minuteswarm
