#include "segmenter/timestamp_normaliser.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t wrap = std::int64_t{1} << 33;
constexpr Ticks frame = 3600; // 25 a second

TimestampNormaliser::Stream ts_stream() {
    return {{1, 90'000}, 33, 0, 0};
}

TimestampNormaliser::Stamp at(std::int64_t time) {
    return {time, time, frame};
}
TimestampNormaliser::Stamp wrapped(std::int64_t time) {
    return at(time & (wrap - 1));
}

TimestampNormaliser one_stream(Ticks start = 0) {
    return {{ts_stream()}, start};
}
TimestampNormaliser two_streams() {
    return {{ts_stream(), ts_stream()}, 0};
}

} // namespace

TEST_CASE("Media time and ticks convert without going back") {
    CHECK(to_ticks(1s) == 90'000);
    CHECK(to_media_time(90'000) == 1s);
    for (Ticks ticks : {1, 7, 8, 9, 3003, 123'457})
        CHECK(to_ticks(to_media_time(ticks)) == ticks);
    for (int us : {0, 1, 11, 12, 333'333})
        CHECK(to_media_time(to_ticks(MediaTime(us))) >= MediaTime(us));
}

TEST_CASE("The first packet of an epoch is at the given start, wherever the source began") {
    auto normaliser = one_stream(90'000);
    auto const first = normaliser.normalise(0, at(7'654'321));
    CHECK(first.dts == 90'000);
    CHECK(first.duration == frame);
    CHECK(normaliser.normalise(0, at(7'654'321 + frame)).dts == 90'000 + frame);
    CHECK(normaliser.end() == 90'000 + 2 * frame);
}

TEST_CASE("Presentation keeps its distance from decoding") {
    auto normaliser = one_stream();
    auto const first = normaliser.normalise(0, {10'000 + 2 * frame, 10'000, frame});
    CHECK(first.dts == 0);
    CHECK(first.pts == 2 * frame);
}

TEST_CASE("Timestamps go on through two wraps of 33 bits") {
    auto normaliser = two_streams();
    auto source = wrap - 50 * frame;
    auto const origin = source;
    // 100 s steps hold the test short: they are more than a pause, so go in steps of 9 s.
    constexpr Ticks step = 9 * ticks_per_second;
    while (source < 3 * wrap) {
        for (std::size_t stream : {0U, 1U}) {
            auto const out = normaliser.normalise(stream, wrapped(source));
            if (out.dts != source - origin) FAIL("lost the timeline at " << source);
        }
        source += step;
    }
}

TEST_CASE("Presentation after a wrap and decoding before it stay together") {
    auto normaliser = one_stream();
    auto const before = normaliser.normalise(0, {(wrap + 100) & (wrap - 1), wrap - 100, frame});
    CHECK(before.dts == 0);
    CHECK(before.pts == 200);
}

TEST_CASE("A stream that begins after another one has wrapped is in step with it") {
    auto normaliser = two_streams();
    normaliser.normalise(0, wrapped(wrap - 10));
    CHECK(normaliser.normalise(1, wrapped(wrap + 20)).dts == 30);

    auto other = two_streams();
    other.normalise(0, wrapped(wrap + 20));
    other.normalise(0, wrapped(wrap + 20 + frame));
    CHECK(other.normalise(1, wrapped(wrap - 10 + frame)).dts == frame - 30);
}

TEST_CASE("After a jump all streams go on together where the output ended") {
    auto const jump = GENERATE(
        Ticks{1000 * ticks_per_second}, Ticks{-3 * ticks_per_second}, Ticks{-500 * ticks_per_second}
    );
    auto normaliser = two_streams();
    auto source = 1000 * ticks_per_second;
    for (int i = 0; i < 100; ++i, source += frame) {
        normaliser.normalise(0, at(source));
        normaliser.normalise(1, at(source + 100));
    }
    auto const end = normaliser.end();
    // The second stream's packets of before the jump come among the first ones of after it.
    CHECK(normaliser.normalise(0, at(source + jump)).dts == end);
    CHECK(normaliser.normalise(1, at(source + 100)).dts == end);
    CHECK(normaliser.normalise(0, at(source + jump + frame)).dts == end + frame);
    auto const second = normaliser.normalise(1, at(source + jump + frame + 100)).dts;
    CHECK(second == end + frame + 100);
    CHECK(normaliser.end() < end + 4 * frame);
}

TEST_CASE("A pause of some seconds stays a pause") {
    auto normaliser = two_streams();
    normaliser.normalise(0, at(0));
    normaliser.normalise(1, at(0));
    CHECK(normaliser.normalise(0, at(5 * ticks_per_second)).dts == 5 * ticks_per_second);
    CHECK(normaliser.normalise(1, at(5 * ticks_per_second)).dts == 5 * ticks_per_second);
}

TEST_CASE("Pictures that paused while sound went on come back in step with it") {
    auto normaliser = two_streams();
    normaliser.normalise(0, at(0));
    for (Ticks time = 0; time < 30 * ticks_per_second; time += frame)
        normaliser.normalise(1, at(time));
    CHECK(normaliser.normalise(0, at(30 * ticks_per_second)).dts == 30 * ticks_per_second);
}

TEST_CASE("Decoding times grow even where the source repeats them") {
    auto normaliser = one_stream();
    auto const first = normaliser.normalise(0, at(1000));
    auto const second = normaliser.normalise(0, at(1000));
    CHECK(second.dts == first.dts + 1);
    CHECK(second.pts >= second.dts);
}

TEST_CASE("Missing decoding times are rebuilt frame by frame before presentation") {
    TimestampNormaliser normaliser({{{1, 1000}, 64, frame, 2}}, 0);
    // Presented as I2 P5 B3 B4 P8 …: what Matroska says of the first packets.
    Ticks last = -1;
    for (std::int64_t const pts : {80, 200, 120, 160, 320, 240, 280}) {
        auto const out = normaliser.normalise(0, {pts, std::nullopt, 40});
        CHECK(out.dts > last);
        CHECK(out.dts <= out.pts);
        CHECK(out.pts == pts * 90);
        last = out.dts;
    }
}

TEST_CASE("Packets without any time follow each other") {
    TimestampNormaliser normaliser({{{1, 90'000}, 33, frame, 0}}, 500);
    CHECK(normaliser.normalise(0, {}).dts == 500);
    CHECK(normaliser.normalise(0, {}).dts == 500 + frame);
    CHECK(normaliser.normalise(0, {}).dts == 500 + 2 * frame);
}

TEST_CASE("A source that starts over goes on where the output ended, each time") {
    auto normaliser = two_streams();
    for (Ticks pass = 0; pass < 3; ++pass) {
        auto const end = normaliser.end();
        for (Ticks i = 0; i < 10; ++i) { // shorter than any jump that could be noticed
            auto const out = normaliser.normalise(0, at(i * frame));
            CHECK(out.dts == end + i * frame);
            CHECK(normaliser.normalise(1, at(i * frame)).dts == end + i * frame);
        }
        CHECK(normaliser.end() == end + 10 * frame);
        normaliser.reanchor();
    }
}

TEST_CASE("Absurd timestamps neither overflow nor move the timeline") {
    auto normaliser = one_stream();
    normaliser.normalise(0, at(0));
    auto const highest = std::numeric_limits<std::int64_t>::max();
    auto const out = normaliser.normalise(0, {highest, -highest, highest});
    CHECK(out.dts == frame);
    CHECK(normaliser.normalise(0, at(2 * frame)).dts == 2 * frame);
}
