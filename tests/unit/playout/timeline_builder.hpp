#pragma once

#include "playout/timeline.hpp"

#include <cstdint>
#include <map>

namespace minuteswarm::playout_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t chunk_size = 4000;
inline constexpr MonotonicTime start_of_test{std::chrono::hours{1000}};

/// Chunk `number` of an event of 4 s chunks with 1000 bytes per second.
inline Timeline::Chunk chunk(std::uint64_t number) {
    Timeline::Chunk result;
    result.number = {number};
    result.epoch = EpochNumber{0};
    result.media_time = seconds{4 * (static_cast<std::int64_t>(number) - 1)};
    result.duration = seconds{4};
    result.size = chunk_size;
    return result;
}

inline Timeline::Position start_of(std::uint64_t number) {
    return {{number}, 0};
}

inline ByteRanges ranges(std::uint64_t begin, std::uint64_t end) {
    ByteRanges result;
    result.add(begin, end);
    return result;
}
inline ByteRanges first(std::uint64_t bytes) {
    return ranges(0, bytes);
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
        timeline.set_available({number}, first(bytes));
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

constexpr std::uint64_t group_size = 250;
constexpr std::uint64_t chunk_groups = chunk_size / group_size;

/// What group `index` of a chunk says: a quarter of a second each, a random access point each
/// second.
inline Timeline::Mark group_mark(std::uint64_t number, std::uint64_t index) {
    Timeline::Mark mark;
    mark.at = {{number}, index * group_size};
    mark.media_time = chunk(number).media_time + milliseconds{index * group_size};
    mark.is_random_access_point = index % 4 == 0;
    return mark;
}

/// A player that the live edge reaches.
struct LivePlayer : Player {
    std::map<std::uint64_t, ByteRanges> present;

    LivePlayer() { timeline.set_edge(true); }
    /// A group with its bytes.
    void group(std::uint64_t number, std::uint64_t index) {
        timeline.mark(group_mark(number, index));
        bytes(number, index * group_size, (index + 1) * group_size);
    }
    void groups(std::uint64_t number, std::uint64_t from, std::uint64_t to) {
        for (auto index = from; index < to; ++index)
            group(number, index);
    }
    void bytes(std::uint64_t number, std::uint64_t begin, std::uint64_t end) {
        present[number].add(begin, end);
        timeline.set_available({number}, present[number]);
    }
    /// Plays from chunk 1, whose first `count` groups are there; it is due at once.
    void play_groups(std::uint64_t count) {
        groups(1, 0, count);
        timeline.start_at({{1}, 0});
        timeline.advance(now);
    }
};

} // namespace minuteswarm::playout_test
