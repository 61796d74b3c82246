#pragma once

#include "base/time.hpp"
#include "input/libav.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace minuteswarm {

/// Media time in the 90 kHz ticks of MPEG-TS, since the event's start.
using Ticks = std::int64_t;
inline constexpr Ticks ticks_per_second = 90'000;

/// Rounded up, so that a position given back in ticks is never before the one that came.
constexpr Ticks to_ticks(MediaTime time) {
    return (time.count() * 9 + 99) / 100;
}
constexpr MediaTime to_media_time(Ticks ticks) {
    return MediaTime(ticks * 100 / 9);
}

/// Maps a source's timestamps, which wrap, jump, repeat or lack, onto one timeline per epoch whose
/// decoding times grow in every stream. Pure.
///
/// Each stream has an offset from source time to media time. After a jump the stream takes the
/// offset another stream found at its own jump, if that fits, so that streams stay in step;
/// else the stream goes on at the end of what has been put out.
class TimestampNormaliser {
public:
    struct Stream {
        AVRational time_base{1, 90'000};
        int wrap_bits = 64;       ///< timestamps are modulo 2^wrap_bits
        Ticks frame_duration = 0; ///< where packets don't say; 0 = unknown
        int reordered_frames = 0; ///< how far decoding order runs ahead of presentation
    };
    struct Stamp { // in the stream's time base
        std::optional<std::int64_t> pts;
        std::optional<std::int64_t> dts;
        std::int64_t duration = 0; ///< 0 = unknown
    };
    struct Normalised {
        Ticks pts = 0;
        Ticks dts = 0;
        Ticks duration = 0;
    };

    /// The first packet's decoding time becomes `start`.
    TimestampNormaliser(std::vector<Stream> streams, Ticks start);

    Normalised normalise(std::size_t stream, Stamp const& stamp);

    /// The source starts over: the next packet follows on the end of what has been put out.
    void reanchor();

    /// The end of the packet that ends last.
    [[nodiscard]] Ticks end() const { return end_; }

private:
    struct State {
        Stream stream;
        std::optional<std::int64_t> last_raw; // unwrapped, in the stream's time base
        std::optional<Ticks> offset;
        std::optional<Ticks> last_dts;
        Ticks last_duration = 0;

        [[nodiscard]] Ticks expected() const { return *last_dts + last_duration; }
    };

    [[nodiscard]] std::int64_t unwrap(State const& state, std::int64_t raw) const;
    [[nodiscard]] std::optional<Ticks> decoding_position(State& state, Stamp const& stamp) const;
    [[nodiscard]] bool is_plausible(State const& state, Ticks dts) const;
    Ticks place(State& state, Ticks position);
    static Ticks duration_of(State const& state, Stamp const& stamp, Ticks dts);

    std::vector<State> states_;
    std::optional<Ticks> newest_offset_;
    Ticks head_; // newest decoding time put out
    Ticks end_;
};

} // namespace minuteswarm
