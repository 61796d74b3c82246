#include "playout/output_stream.hpp"
#include "unit/playout/timeline_builder.hpp"
#include "unit/playout/ts_builder.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

namespace {

/// Four seconds of one PID with a clock, whose counters start anew.
Bytes ts_chunk(std::uint64_t number) {
    TsBuilder ts;
    for (std::uint64_t at = 0; at < 100; ++at) {
        auto const time = 900'000 + (number - 1) * 360'000 + at * 3600;
        ts.add({0x100, time, time + 9000, {}});
    }
    return ts.bytes();
}

/// What the output sends of all that is released.
Bytes take(OutputStream& output, Timeline const& timeline) {
    Bytes sent;
    while (auto const slice = output.next(timeline, 1001)) {
        auto const chunk = ts_chunk(slice->chunk.value);
        auto const from = chunk.begin() + static_cast<std::ptrdiff_t>(slice->offset);
        append(
            sent,
            output.feed(*slice, Bytes(from, from + static_cast<std::ptrdiff_t>(slice->length)))
        );
    }
    return sent;
}

/// All that an output sends of a timeline that ends; it takes odd slices.
Bytes play(Timeline& timeline, Container container) {
    OutputStream output{container, Cursor::oldest()};
    Bytes sent;
    for (auto now = start_of_test; !output.has_ended(timeline); now += seconds{1}) {
        timeline.advance(now);
        append(sent, take(output, timeline));
    }
    append(sent, output.finish());
    return sent;
}

/// Plays chunks 1, 2 and, after a gap, 4.
Bytes play_with_gap(Container container) {
    Timeline timeline{Timeline::Options{}};
    for (std::uint64_t number = 1; number <= 4; ++number) {
        auto next = chunk(number);
        next.size = ts_chunk(number).size();
        next.is_discontinuity = number == 2;
        timeline.add(next);
        if (number != 3) timeline.set_available({number}, first(next.size));
    }
    timeline.start_at({1});
    timeline.end({4});
    return play(timeline, container);
}

/// Plays an open chunk from its second quarter on; the third is lost.
Bytes play_inside_chunk() {
    constexpr std::uint64_t quarter = 25 * TsJoiner::packet_size;
    Timeline timeline{Timeline::Options{}};
    for (std::uint64_t index : {1U, 3U}) {
        auto mark = group_mark(1, 4 * index);
        mark.at.offset = index * quarter;
        timeline.mark(mark);
    }
    auto present = ranges(quarter, 2 * quarter);
    present.add(3 * quarter, 4 * quarter);
    timeline.set_available({1}, present);
    timeline.start_at({{1}, quarter});
    timeline.end({1});
    return play(timeline, Container::mpeg_ts);
}

} // namespace

TEST_CASE("Output stream joins a transport stream across a restart and a gap") {
    auto const report = read_ts(play_with_gap(Container::mpeg_ts));
    CHECK(report.packets == 300);
    CHECK(report.counter_errors == 0);
    CHECK(report.marks.at(0x100) == 2);
    auto const step = largest_step(report.pcrs);
    REQUIRE(step);
    CHECK(*step <= 9000);
}

TEST_CASE("Output stream stays continuous when another event follows") {
    Timeline first{Timeline::Options{}};
    Timeline second{Timeline::Options{}};
    for (auto* const timeline : {&first, &second}) {
        auto only = chunk(1);
        only.size = ts_chunk(1).size();
        timeline->add(only);
        timeline->set_available({1}, playout_test::first(only.size));
        timeline->start_at({1});
        timeline->advance(start_of_test);
    }
    OutputStream output{Container::mpeg_ts, Cursor::oldest()};
    auto sent = take(output, first);
    output.continue_with(Container::mpeg_ts, Cursor::oldest());
    append(sent, take(output, second));
    auto const report = read_ts(sent);
    CHECK(report.packets == 200);
    CHECK(report.counter_errors == 0);
    CHECK(report.marks.at(0x100) == 1);
    auto const step = largest_step(report.pcrs);
    REQUIRE(step);
    CHECK(*step <= 9000);
}

TEST_CASE("Output stream joins a transport stream across a skip inside a chunk") {
    auto const report = read_ts(play_inside_chunk());
    CHECK(report.packets == 50);
    CHECK(report.counter_errors == 0);
    CHECK(report.marks.at(0x100) == 1);
    auto const step = largest_step(report.pcrs);
    REQUIRE(step);
    CHECK(*step <= 9000);
}

TEST_CASE("Output stream passes containers that need no joining as they are") {
    Bytes expected;
    for (std::uint64_t number : {1U, 2U, 4U})
        append(expected, ts_chunk(number));
    for (auto const container : {Container::mp3, Container::adts, Container::fmp4}) {
        CHECK(play_with_gap(container) == expected);
    }
}
