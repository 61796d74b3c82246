#include "base/limits.hpp"
#include "http/live_parts.hpp"
#include "unit/http/live_chunks.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using namespace minuteswarm;
using namespace minuteswarm::http_test;
using namespace std::chrono_literals;

namespace {

constexpr MediaTime target = 330ms;

MediaTime total(std::vector<LivePart> const& parts) {
    return std::accumulate(parts.begin(), parts.end(), MediaTime{}, [](auto sum, auto const& part) {
        return sum + part.duration;
    });
}

} // namespace

TEST_CASE("Live parts are whole pictures, at most the target long and at least 85 % of it") {
    LiveChunks live;
    LiveParts parts;
    live.grow(parts, 1, 120);
    live.record(parts, 1);
    live.grow(parts, 2, 119);
    REQUIRE(parts.target() == target);
    auto const& growing = *parts.find({2});
    CHECK_FALSE(growing.is_done);
    CHECK(growing.parts.size() == 13); // of nine pictures; two more pictures are too few
    for (auto const& part : growing.parts) {
        CHECK(part.duration <= target);
        CHECK(part.duration >= target * 85 / 100);
        CHECK(live.begins_picture({2}, part.offset));
    }
    live.grow(parts, 2, 120);
    live.record(parts, 2);
    auto const& chunk = *parts.find({2});
    CHECK(chunk.is_done);
    CHECK(chunk.size == live.size({2}));
    CHECK(total(chunk.parts) == 4s);
    CHECK(chunk.parts.back().duration <= target);
    std::uint64_t end = 0;
    for (auto const& part : chunk.parts) {
        CHECK(part.offset == end);
        end += part.length;
    }
    CHECK(end == live.size({2}));
}

TEST_CASE("Live parts are independent where a random access point is in them") {
    LiveChunks live;
    LiveParts parts;
    live.grow(parts, 1, 120);
    live.record(parts, 1);
    auto const& found = parts.find({1})->parts;
    REQUIRE(found.size() == 14);
    for (std::size_t at = 0; at < found.size(); ++at) // pictures 0 and 60
        CHECK(found[at].is_independent == (at == 0 || at == 6));
}

TEST_CASE("Live parts don't depend on how the bytes come") {
    LiveChunks live;
    LiveParts evenly;
    LiveParts bytewise;
    live.grow(evenly, 1, 120);
    live.record(evenly, 1);
    LiveChunks again;
    again.feed_in_pieces(bytewise, 1, 997);
    REQUIRE(bytewise.find({1}) != nullptr);
    REQUIRE(bytewise.find({1})->parts.size() == evenly.find({1})->parts.size());
    for (std::size_t at = 0; at < 14; ++at) {
        CHECK(bytewise.find({1})->parts[at].offset == evenly.find({1})->parts[at].offset);
        CHECK(bytewise.find({1})->parts[at].duration == evenly.find({1})->parts[at].duration);
    }
}

TEST_CASE("Live parts get longer where pictures come in longer bursts or are few") {
    SECTION("bursts of 400 ms") {
        LiveChunks live;
        live.group = 12;
        LiveParts parts;
        live.grow(parts, 1, 120);
        CHECK(parts.target() == MediaTime{500ms});
    }
    SECTION("bursts of 800 ms") {
        LiveChunks live;
        live.group = 24;
        LiveParts parts;
        live.grow(parts, 1, 120);
        CHECK(parts.target() == MediaTime{1s});
    }
    SECTION("ten pictures a second") {
        LiveChunks live;
        live.frame = 9000;
        live.group = 3;
        LiveParts parts;
        live.grow(parts, 1, 40);
        live.record(parts, 1);
        CHECK(parts.target() == MediaTime{1s});
        for (auto const& part : parts.find({1})->parts)
            CHECK(part.duration <= 1s);
    }
    SECTION("a picture a second has none") {
        LiveChunks live;
        live.frame = 90000;
        live.group = 1;
        LiveParts parts;
        live.grow(parts, 1, 4);
        live.record(parts, 1);
        CHECK_FALSE(parts.target());
        CHECK(parts.find({1})->parts.empty());
        CHECK(parts.find({1})->is_done);
    }
}

TEST_CASE("Live parts keep their target whatever comes later") {
    LiveChunks live;
    LiveParts parts;
    live.grow(parts, 1, 120);
    live.record(parts, 1);
    live.group = 60;
    live.grow(parts, 2, 120);
    CHECK(parts.target() == target);
    CHECK(parts.find({2})->parts.size() == 13);
}

TEST_CASE("Live parts of a chunk that is cut short end with a whole picture") {
    LiveChunks live;
    LiveParts parts;
    live.grow(parts, 1, 120);
    live.record(parts, 1);
    live.grow(parts, 2, 50);
    live.cut_short(parts);
    auto const& chunk = *parts.find({2});
    CHECK(chunk.is_done);
    CHECK(chunk.parts.size() == 5);
    CHECK(live.begins_picture({2}, chunk.size));
    CHECK(chunk.duration == total(chunk.parts));
}

TEST_CASE("Live parts of a chunk end with it when the next one begins before its record comes") {
    LiveChunks live;
    LiveParts parts;
    live.grow(parts, 1, 120);
    CHECK_FALSE(parts.find({1})->is_done);
    live.grow(parts, 2, 8);
    CHECK(parts.find({1})->is_done);
    CHECK(total(parts.find({1})->parts) == 4s);
}

TEST_CASE("Live parts exist of no chunk that came whole, and of none that was joined in the middle"
) {
    LiveChunks live;
    LiveParts parts;
    live.add_whole(parts, 1);
    CHECK(parts.find({1}) == nullptr);
    live.grow(parts, 2, 60);
    live.segments.back().begin = 188;
    LiveParts joined;
    joined.update(live.segments);
    CHECK(joined.find({2}) == nullptr);
}

TEST_CASE("Live parts are of the newest chunks only") {
    LiveChunks live;
    LiveParts parts;
    for (std::uint64_t number = 1; number <= 12; ++number) {
        live.grow(parts, number, 120);
        live.record(parts, number);
    }
    CHECK(parts.find({12}) != nullptr);
    CHECK(parts.find({13 - limits::part_chunks}) != nullptr);
    CHECK(parts.find({12 - limits::part_chunks}) == nullptr);
}

TEST_CASE("Live parts end where the bytes can't be read or are no transport stream") {
    LiveChunks live;
    LiveParts parts;
    live.grow(parts, 1, 120);
    live.record(parts, 1);
    SECTION("not read") {
        live.fails = true;
        live.grow(parts, 2, 60);
        CHECK(parts.find({2})->is_done);
        CHECK_FALSE(parts.wish());
    }
    SECTION("noise") {
        live.is_noise = true;
        live.grow(parts, 2, 120);
        CHECK(parts.find({2})->parts.empty());
        live.record(parts, 2);
        CHECK(parts.find({2})->is_done);
    }
}
