#pragma once

#include "playout/timeline.hpp"

#include <cstdint>

namespace minuteswarm::playout_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t chunk_size = 4000;
inline constexpr MonotonicTime start_of_test{std::chrono::hours{1000}};

/// Chunk `number` of an event of 4 s chunks with 1000 bytes per second.
inline Timeline::Chunk chunk(std::uint64_t number) {
    Timeline::Chunk result;
    result.number = {number};
    result.media_time = seconds{4 * (static_cast<std::int64_t>(number) - 1)};
    result.duration = seconds{4};
    result.size = chunk_size;
    return result;
}

/// A timeline with a clock of its own that stands still unless told.
struct Player {
    Timeline timeline{Timeline::Options{}};
    MonotonicTime now = start_of_test;

    void know(std::uint64_t number) { timeline.add(chunk(number)); }
    void know(std::uint64_t first, std::uint64_t last) {
        for (auto number = first; number <= last; ++number)
            know(number);
    }
    void have(std::uint64_t number, std::uint64_t bytes = chunk_size) {
        know(number);
        timeline.set_available({number}, bytes);
    }
    /// An event that is older than the latency, played from chunk 1, whose bytes up to `last` are
    /// there.
    void play(std::uint64_t last) {
        know(1, 3);
        for (std::uint64_t number = 1; number <= last; ++number)
            have(number);
        timeline.start_at({1});
        timeline.advance(now);
    }
    bool at(MediaTime since_start) {
        now = start_of_test + since_start;
        return timeline.advance(now);
    }
    [[nodiscard]] std::uint64_t released() const { return timeline.counters().released_bytes; }
    [[nodiscard]] Timeline::Segment const& newest() const { return timeline.segments().back(); }
};

} // namespace minuteswarm::playout_test
