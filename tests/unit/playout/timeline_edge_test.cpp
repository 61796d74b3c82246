#include "base/limits.hpp"
#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

using State = Timeline::State;
using Position = Timeline::Position;

TEST_CASE("Timeline releases the bytes of an open chunk as its groups come") {
    LivePlayer player;
    player.play_groups(6);
    CHECK(player.timeline.state() == State::live);
    CHECK(player.released() == 6 * group_size);
    CHECK(player.newest().chunk.is_open);
    CHECK_FALSE(player.newest().is_closed);

    player.group(1, 7); // reordered
    CHECK_FALSE(player.at(milliseconds{250}));
    player.group(1, 6);
    player.group(1, 6); // a duplicate
    CHECK(player.at(milliseconds{250}));
    CHECK(player.timeline.playhead() == Position{{1}, 8 * group_size});
    CHECK(player.timeline.counters().late_bytes == 0);
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE(
    "Timeline starts where a fifth of a second of the live edge is there, as far back as asked for"
) {
    LivePlayer player;
    player.groups(1, 0, 16);
    player.groups(2, 0, 6); // 5.25 s of media, a random access point each second
    CHECK(player.timeline.choose_live_start(true) == Position{{1}, 8 * group_size});
    CHECK(player.timeline.choose_live_start(false) == Position{{1}, 8 * group_size});
}

TEST_CASE("Timeline starts later than asked for when the live edge has nothing from so far back") {
    LivePlayer player;
    player.groups(1, 13, 16);
    player.groups(2, 0, 6);
    CHECK_FALSE(player.timeline.choose_live_start(true));
    CHECK(player.timeline.choose_live_start(false) == start_of(2));
    player.group(1, 12);
    player.timeline.set_size({1}, chunk_size); // what follows is in the next chunk
    CHECK(player.timeline.choose_live_start(false) == Position{{1}, 12 * group_size});
    player.group(1, 8); // far enough back, but what follows is missing
    CHECK_FALSE(player.timeline.choose_live_start(true));
    player.groups(1, 9, 12);
    CHECK(player.timeline.choose_live_start(true) == Position{{1}, 8 * group_size});
}

TEST_CASE("Timeline counts how long after the publisher bytes are released") {
    Timeline::Options options;
    options.clock_origin = WallTime{seconds{1'000'000}} - std::chrono::hours{1000};
    Timeline timeline{options};
    timeline.set_edge(true);
    auto const now = WallTime{seconds{1'000'000}};
    for (std::uint64_t index = 0; index < 8; ++index) {
        auto mark = group_mark(1, index);
        mark.wall_time = now - milliseconds{100 * (8 - index)};
        timeline.mark(mark);
    }
    timeline.set_available({1}, first(8 * group_size));
    timeline.start_at({{1}, 0});
    timeline.advance(start_of_test);
    auto const& delays = timeline.counters().delays.histogram();
    CHECK(delays.total() == 7 * group_size); // how long the newest took is not known yet
    // 800 to 100 ms: bytes came evenly.
    CHECK(delays.sum_seconds() == Approx(7 * group_size * 0.45).epsilon(0.01));
}

TEST_CASE("Timeline takes the bytes of a chunk without groups to have come evenly") {
    Timeline::Options options;
    options.clock_origin = WallTime{seconds{1'000'000}} - std::chrono::hours{1000};
    Timeline timeline{options};
    for (std::uint64_t number = 1; number <= 3; ++number) {
        auto known = chunk(number);
        known.wall_time = WallTime{seconds{1'000'000}} - seconds{10};
        timeline.add(known);
    }
    timeline.set_available({1}, first(chunk_size));
    timeline.start_at({{1}, 0});
    timeline.advance(start_of_test);
    auto const& delays = timeline.counters().delays.histogram();
    CHECK(delays.total() == chunk_size);
    CHECK(delays.sum_seconds() == Approx(chunk_size * 8.0).epsilon(0.03)); // 10 to 6 s
}

TEST_CASE("Timeline holds the bytes of an open chunk due with their group") {
    LivePlayer player;
    player.play_groups(8);
    // The event is younger than the latency of 3 s: the rest is added.
    auto const first = start_of_test + seconds{3} - milliseconds{1750};
    CHECK(player.timeline.deadline({1}, 7 * group_size) == first + milliseconds{1750});
    CHECK(player.timeline.deadline({1}, 8 * group_size - 1) == first + milliseconds{1750});
    CHECK(player.timeline.next_deadline() == first + milliseconds{1750});
    player.group(1, 8);
    player.at(milliseconds{10});
    CHECK(player.timeline.next_deadline() == first + milliseconds{2000});
}

TEST_CASE("Timeline counts bytes of an open chunk as late from their group's deadline on") {
    LivePlayer player;
    player.play_groups(8);
    player.groups(1, 8, 12);
    player.at(milliseconds{3600}); // due: 3250, 3500, 3750, 4000
    CHECK(player.timeline.counters().late_bytes == 2 * group_size);
}

TEST_CASE("Timeline skips inside a chunk to the next mark that is present") {
    LivePlayer player;
    player.play_groups(6);
    player.group(1, 7);
    player.groups(1, 9, 12); // a random access point, at 8, is not there
    player.timeline.mark(group_mark(1, 8));
    auto const due = start_of_test + seconds{3};
    CHECK(player.timeline.next_deadline() == due);
    CHECK_FALSE(player.timeline.advance(due));
    CHECK(player.timeline.state() == State::stalled);
    player.groups(1, 12, 14);
    CHECK(player.timeline.advance(due));

    CHECK(player.timeline.state() == State::live);
    REQUIRE(player.timeline.segments().size() == 2);
    auto const& before = player.timeline.segments()[0];
    CHECK(before.begin == 0);
    CHECK(before.released == 6 * group_size);
    CHECK(before.is_closed);
    CHECK(player.newest().chunk.number == ChunkNumber{1});
    CHECK(player.newest().begin == 12 * group_size);
    CHECK(player.newest().released == 14 * group_size);
    CHECK(player.newest().after_gap);
    CHECK(player.newest().is_entry());
    CHECK(player.timeline.counters().gaps == 1);
    // From the last group that was released, whose end no group has told, to the new one.
    CHECK(player.timeline.counters().gap_time == milliseconds{3000 - 1250});

    player.groups(1, 14, 16);
    player.know(1);
    CHECK(player.at(seconds{3}));
    CHECK(player.timeline.playhead() == start_of(2));
    for (auto const& segment : player.timeline.segments()) {
        CHECK(segment.is_closed);
        CHECK_FALSE(segment.is_complete());
        CHECK_FALSE(segment.awaits_record());
        CHECK_FALSE(segment.chunk.is_open);
    }
}

TEST_CASE("Timeline skips from an open chunk to a mark in a later one") {
    LivePlayer player;
    player.play_groups(6);
    player.groups(2, 3, 8); // its start is missing
    player.at(seconds{10});
    CHECK(player.newest().chunk.number == ChunkNumber{2});
    CHECK(player.newest().begin == 4 * group_size);
    CHECK(player.timeline.counters().gap_time == milliseconds{5000 - 1250});
}

TEST_CASE("Timeline holds the lost start of an open chunk due at the end of the one before") {
    LivePlayer player;
    player.play_groups(16);
    player.timeline.set_size({1}, chunk_size);
    player.groups(2, 11, 13);
    CHECK(player.at(milliseconds{100})); // to the end of chunk 1
    CHECK_FALSE(player.at(milliseconds{3749}));
    CHECK(player.at(milliseconds{3750}));
    CHECK(player.newest().begin == 12 * group_size);
    CHECK(player.timeline.counters().gap_time == milliseconds{3250});
}

TEST_CASE("Timeline counts the gap across an open chunk that is lost whole") {
    LivePlayer player;
    player.play_groups(16);
    player.timeline.set_size({1}, chunk_size);
    player.timeline.mark(group_mark(2, 0));
    player.timeline.mark(group_mark(2, 9));
    player.groups(3, 0, 4);
    player.at(seconds{10});
    CHECK(player.newest().chunk.number == ChunkNumber{3});
    CHECK(player.newest().begin == 0);
    CHECK(player.timeline.counters().gaps == 1);
    CHECK(player.timeline.counters().gap_time == seconds{4});
}

TEST_CASE("Timeline closes an open chunk with its record and goes on") {
    LivePlayer player;
    player.play_groups(12);
    player.group(2, 0);
    player.bytes(1, 12 * group_size, 14 * group_size); // from the swarm: no group told of them
    player.know(1);
    CHECK(player.at(seconds{1}));
    CHECK(player.timeline.playhead() == Position{{1}, 14 * group_size});
    CHECK_FALSE(player.newest().chunk.is_open);
    CHECK_FALSE(player.newest().is_complete());

    player.bytes(1, 14 * group_size, chunk_size);
    CHECK(player.at(seconds{1}));
    CHECK(player.timeline.segments()[0].is_complete());
    CHECK(player.newest().chunk.number == ChunkNumber{2});
    CHECK_FALSE(player.newest().after_gap);
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline notices that a record closes a chunk of which all was released") {
    LivePlayer player;
    player.play_groups(16);
    player.groups(2, 0, 2);
    CHECK_FALSE(player.at(milliseconds{100})); // the chunk might go on
    CHECK(player.timeline.playhead() == Position{{1}, chunk_size});
    player.know(1);
    CHECK(player.at(milliseconds{100}));
    CHECK(player.timeline.segments()[0].is_complete());
    CHECK(player.timeline.playhead() == Position{{2}, 2 * group_size});
    CHECK(player.timeline.latency_now() == seconds{0});
}

TEST_CASE("Timeline goes on before the record when a group has told the chunk's end") {
    LivePlayer player;
    player.play_groups(16);
    player.groups(2, 0, 2);
    player.timeline.set_size({1}, chunk_size);
    player.timeline.set_size({1}, 7); // the first statement holds
    CHECK(player.at(milliseconds{100}));
    CHECK(player.timeline.playhead() == Position{{2}, 2 * group_size});
    auto const& passed = player.timeline.segments()[0];
    CHECK(passed.is_closed);
    CHECK(passed.awaits_record());
    CHECK_FALSE(passed.is_complete());

    SECTION("its record comes") {
        player.know(1);
        CHECK(player.at(milliseconds{200})); // for the playlists
        CHECK(passed.is_complete());
        CHECK_FALSE(passed.awaits_record());
        CHECK(passed.chunk.duration == seconds{4});
        CHECK_FALSE(player.at(milliseconds{200}));
    }
    SECTION("its record comes after the end of the event") {
        player.timeline.end({2});
        player.groups(2, 2, 16);
        player.know(2);
        player.at(milliseconds{200});
        REQUIRE(player.timeline.state() == State::ended);
        player.know(1);
        CHECK(player.at(milliseconds{300}));
        CHECK(passed.is_complete());
    }
    SECTION("its record has another size") {
        auto other = chunk(1);
        other.size = chunk_size + 1;
        player.timeline.add(other);
        player.at(milliseconds{200});
        CHECK_FALSE(passed.is_complete());
        CHECK_FALSE(passed.awaits_record());
    }
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline leaves a chunk whose end nobody has told at the deadline") {
    LivePlayer player;
    player.play_groups(16);
    player.groups(2, 0, 4);
    CHECK_FALSE(player.at(milliseconds{2999}));
    player.at(milliseconds{3750}); // the last group's deadline
    CHECK(player.newest().chunk.number == ChunkNumber{2});
    CHECK(player.timeline.counters().gaps == 1);
    CHECK(player.timeline.counters().gap_time == milliseconds{250});
}

TEST_CASE("Timeline lets a record rule what isn't released yet") {
    LivePlayer player;
    player.play_groups(8);
    auto record = chunk(1);
    SECTION("a chunk that ended before what was released") {
        record.size = 5 * group_size;
        player.timeline.add(record);
        player.group(2, 0);
        CHECK(player.at(milliseconds{100}));
        CHECK(player.timeline.playhead() == Position{{2}, group_size});
        CHECK(player.timeline.segments()[0].released == 8 * group_size);
        CHECK_FALSE(player.timeline.segments()[0].is_complete());
    }
    SECTION("a chunk that ends before what groups told") {
        player.group(1, 12);
        record.size = 10 * group_size;
        player.timeline.add(record);
        player.bytes(1, 8 * group_size, 16 * group_size);
        player.group(2, 0);
        CHECK(player.at(milliseconds{100}));
        CHECK(player.timeline.segments()[0].is_complete());
        CHECK(player.newest().chunk.number == ChunkNumber{2});
    }
    SECTION("another media time") {
        player.timeline.mark(group_mark(1, 10));
        record.media_time += seconds{60};
        player.timeline.add(record);
        auto const due = player.timeline.deadline({1}, 10 * group_size);
        CHECK(due >= player.timeline.deadline({1}, 8 * group_size));
        CHECK(due >= start_of_test + seconds{60});
        player.bytes(1, 8 * group_size, chunk_size);
        CHECK(player.at(seconds{1}));
        CHECK(player.timeline.segments()[0].is_complete());
    }
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline takes a group for a chunk whose record it has") {
    LivePlayer player;
    player.have(1);
    player.know(2);
    player.timeline.start_at(start_of(1));
    player.at(seconds{0});
    auto const anchor = start_of_test;
    CHECK(player.timeline.deadline({2}, 1125) == anchor + milliseconds{5125});
    for (std::uint64_t index = 0; index < 16; ++index)
        player.timeline.mark(group_mark(2, index));
    CHECK(player.timeline.deadline({2}, 1125) == anchor + milliseconds{5000});
    CHECK(player.timeline.deadline({2}, chunk_size) == anchor + seconds{8});
    auto wrong = group_mark(2, 17);
    wrong.media_time += seconds{50};
    player.timeline.mark(wrong); // behind the chunk's end
    CHECK(player.timeline.newest_media_time() == seconds{8});
}

TEST_CASE("Timeline holds bytes between groups due in proportion when one between them is lost") {
    LivePlayer player;
    player.play_groups(8);
    auto const first = start_of_test + milliseconds{1250};
    player.timeline.mark(group_mark(1, 14));
    // From group 7, at 1.75 s, to group 14, at 3.5 s.
    CHECK(player.timeline.deadline({1}, 7 * group_size + 875) == first + milliseconds{2625});
    player.know(1);
    CHECK(player.timeline.deadline({1}, 14 * group_size + 100) == first + milliseconds{3500});
}

TEST_CASE("Timeline gives a pause between epochs for no loss at the live edge") {
    LivePlayer player;
    player.play_groups(16);
    player.timeline.set_size({1}, chunk_size);
    auto restart = group_mark(2, 0);
    restart.media_time = seconds{60};
    restart.is_discontinuity = true;
    SECTION("that is played") {
        player.timeline.mark(restart);
        player.bytes(2, 0, group_size);
        CHECK(player.at(milliseconds{2000}));
        CHECK(player.newest().chunk.is_discontinuity);
        CHECK_FALSE(player.newest().after_gap);
        CHECK(player.timeline.counters().gaps == 0);
    }
    SECTION("of which the first group is lost") {
        player.timeline.mark(restart);
        auto next = restart;
        next.at.offset = group_size;
        next.media_time += milliseconds{250};
        player.timeline.mark(next);
        player.bytes(2, group_size, 2 * group_size);
        player.at(seconds{70});
        CHECK(player.newest().begin == group_size);
        CHECK(player.timeline.counters().gap_time == milliseconds{250});
    }
}

TEST_CASE("Timeline ends while its last chunk is open") {
    LivePlayer player;
    player.play_groups(8);
    SECTION("with what its record lacked") {
        player.timeline.end({1});
        player.groups(1, 8, 16);
        player.at(seconds{1});
        CHECK(player.timeline.state() == State::live);
        player.know(1);
        CHECK(player.at(seconds{1}));
        CHECK(player.timeline.counters().gaps == 0);
        CHECK(player.newest().is_complete());
    }
    SECTION("with a gap when nothing follows") {
        player.timeline.mark(group_mark(1, 12));
        player.timeline.end({1});
        CHECK(player.timeline.newest_media_time() == seconds{3});
        CHECK_FALSE(player.at(milliseconds{2999}));
        CHECK(player.at(seconds{5}));
        CHECK(player.timeline.counters().gaps == 1);
        CHECK(player.timeline.counters().gap_time == milliseconds{3000 - 1750});
    }
    CHECK(player.timeline.state() == State::ended);
    player.group(2, 0);
    CHECK_FALSE(player.at(seconds{9}));
}

TEST_CASE("Timeline no longer releases bytes that turned out to be wrong") {
    LivePlayer player;
    player.play_groups(4);
    player.groups(1, 4, 12);
    player.present[1].remove(6 * group_size, 7 * group_size);
    player.timeline.set_available({1}, player.present[1]);
    player.at(milliseconds{10});
    CHECK(player.timeline.playhead() == Position{{1}, 6 * group_size});
    player.bytes(1, 6 * group_size, 7 * group_size);
    player.at(milliseconds{20});
    CHECK(player.timeline.playhead() == Position{{1}, 12 * group_size});
}

TEST_CASE("Timeline tells how far it is behind the newest group") {
    LivePlayer player;
    player.play_groups(8);
    CHECK(player.timeline.newest_media_time() == milliseconds{1750});
    CHECK(player.timeline.latency_now() == seconds{0});
    player.timeline.mark(group_mark(1, 12));
    CHECK(player.timeline.latency_now() == milliseconds{1250});
    player.groups(1, 9, 13);
    CHECK(player.timeline.buffered() == seconds{0});
    player.bytes(1, 8 * group_size, 9 * group_size);
    CHECK(player.timeline.buffered() == milliseconds{1250});
}

TEST_CASE("Timeline with the live edge keeps to the latency asked for") {
    LivePlayer player;
    player.know(1, 3);
    CHECK(player.timeline.effective_latency() == seconds{3});
    player.have(1);
    player.timeline.start_at(start_of(1));
    player.at(seconds{0});
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{4});

    player.timeline.set_edge(false);
    player.at(seconds{1});
    CHECK(player.timeline.effective_latency() == seconds{7});
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{8});

    player.timeline.set_edge(true); // deadlines never move earlier
    player.at(seconds{2});
    CHECK(player.timeline.effective_latency() == seconds{7});
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{8});
}
