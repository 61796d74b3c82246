#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm::lab {

using Clock = std::chrono::steady_clock;
using Bytes = std::span<std::uint8_t const>;

/// A picture, or an MP3 frame: what a player shows or plays at once.
struct Frame {
    Clock::time_point complete; ///< when its last byte came
    double media_time = 0;      ///< seconds: its PTS; of bare MP3, what came before it
    std::uint64_t hash = 0;     ///< of its bytes, so that it can be told again behind another muxer
    std::uint64_t end = 0;      ///< of its bytes in the stream
};

/// Finds the frames of MP3. Skips what is none.
class Mp3Frames {
public:
    using Found = std::function<void(Frame const&)>;
    explicit Mp3Frames(Found found)
        : found_{std::move(found)} {}

    void add(Bytes bytes, Clock::time_point now, std::uint64_t end);

private:
    Found found_;
    std::vector<std::uint8_t> kept_;
    double media_time_ = 0;
    bool is_in_step_ = false;
};

/// Finds the frames of MPEG-TS with H.264, HEVC or, if it has no video, MP3; or of bare MP3. One
/// programme, its tables in one packet each. A picture is complete when the next one begins.
class Frames {
public:
    using Found = Mp3Frames::Found;
    explicit Frames(Found found)
        : found_{std::move(found)}
        , audio_{found_} {}

    void add(Bytes bytes, Clock::time_point now);

private:
    void read_packet(Bytes packet, Clock::time_point now);
    void read_programmes(Bytes table);
    void read_programme(Bytes table);
    void begin_picture(Bytes payload);
    void end_picture();

    Found found_;
    Mp3Frames audio_;
    std::vector<std::uint8_t> kept_;
    std::uint64_t seen_ = 0; ///< bytes, those in kept_ not among them
    std::optional<bool> is_transport_stream_;
    std::optional<unsigned> table_;
    std::optional<unsigned> stream_;
    bool is_video_ = false;
    std::optional<Frame> picture_;
};

} // namespace minuteswarm::lab
