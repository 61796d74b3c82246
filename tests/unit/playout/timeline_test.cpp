#include "base/limits.hpp"
#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

using State = Timeline::State;

TEST_CASE("Timeline takes from a record what playing needs") {
    Record record;
    record.number = {7};
    record.epoch = {2};
    record.media_time = seconds{24};
    record.duration = seconds{4};
    record.wall_time = WallTime{seconds{99}};
    record.size = 123;
    record.is_discontinuity = true;
    record.is_independent = false;
    auto const chunk = Timeline::chunk_of(record);
    CHECK(chunk.number == ChunkNumber{7});
    CHECK(chunk.epoch == EpochNumber{2});
    CHECK(chunk.media_time == seconds{24});
    CHECK(chunk.duration == seconds{4});
    CHECK(chunk.wall_time == WallTime{seconds{99}});
    CHECK(chunk.size == 123);
    CHECK(chunk.is_discontinuity);
    CHECK_FALSE(chunk.is_independent);
}

TEST_CASE("Timeline releases bytes in order as soon as they are present") {
    Player player;
    player.know(1, 3);
    player.timeline.start_at({1});
    player.have(2);
    CHECK_FALSE(player.at(seconds{0}));

    player.have(1);
    CHECK(player.at(seconds{0}));
    CHECK(player.timeline.state() == State::live);
    CHECK(player.released() == 2 * chunk_size);
    CHECK(player.timeline.playhead() == Timeline::Position{{3}, 0});
    REQUIRE(player.timeline.segments().size() == 2);
    CHECK_FALSE(player.at(seconds{0}));

    player.have(3, 1000);
    CHECK(player.at(seconds{1}));
    CHECK(player.released() == 2 * chunk_size + 1000);
    CHECK(player.timeline.playhead() == Timeline::Position{{3}, 1000});
    CHECK_FALSE(player.newest().is_closed);
    CHECK(player.timeline.segments()[0].is_closed);
    CHECK(player.timeline.segments()[0].is_complete());
    CHECK_FALSE(player.at(seconds{0}));
    CHECK(player.timeline.counters().late_bytes == 0);
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline never takes back released bytes and never exceeds a chunk's size") {
    Player player;
    player.play(1);
    player.have(2, 3000);
    player.at(seconds{0});
    player.have(2, 10);
    CHECK_FALSE(player.at(seconds{0}));
    CHECK(player.released() == chunk_size + 3000);
    player.have(2, 1'000'000);
    player.at(seconds{0});
    CHECK(player.released() == 2 * chunk_size);
}

TEST_CASE("Timeline keeps the first record of a number") {
    Player player;
    player.know(1);
    auto other = chunk(1);
    other.size = 7;
    player.timeline.add(other);
    player.have(1);
    player.timeline.start_at({1});
    player.at(seconds{0});
    CHECK(player.released() == chunk_size);
    player.timeline.add(other);
    player.timeline.set_available({1}, first(7));
    CHECK_FALSE(player.at(seconds{1}));
    CHECK(player.timeline.segments().size() == 1);
}

TEST_CASE("Timeline ignores records without bytes and numbers that do not exist") {
    Player player;
    auto empty = chunk(1);
    empty.size = 0;
    player.timeline.add(empty);
    player.timeline.add(chunk(0));
    auto last = chunk(1);
    last.number = {~std::uint64_t{0}};
    player.timeline.add(last);
    CHECK_FALSE(player.timeline.choose_start());
    CHECK(player.timeline.newest_media_time() == seconds{0});
}

TEST_CASE("Timeline anchors deadlines at the first released byte") {
    Player player;
    player.know(1, 3);
    player.timeline.start_at({1});
    CHECK_FALSE(player.timeline.deadline({1}, 0));
    player.at(seconds{0});
    player.have(1);
    player.at(seconds{5});
    auto const anchor = start_of_test + seconds{5};
    CHECK(player.timeline.deadline({1}, 0) == anchor);
    CHECK(player.timeline.deadline({1}, 1000) == anchor + seconds{1});
    CHECK(player.timeline.deadline({2}, 0) == anchor + seconds{4});
    CHECK(player.timeline.deadline({3}, chunk_size) == anchor + seconds{12});
    CHECK_FALSE(player.timeline.deadline({4}, 0));
    CHECK(player.timeline.next_deadline() == anchor + seconds{4});
}

TEST_CASE("Timeline waits for a hole until its deadline") {
    Player player;
    player.play(1);
    player.have(3);
    CHECK_FALSE(player.at(milliseconds{3999}));
    CHECK(player.timeline.state() == State::live);
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{4});
    player.have(2);
    CHECK(player.at(milliseconds{3999}));
    CHECK(player.released() == 3 * chunk_size);
    CHECK(player.timeline.counters().gaps == 0);
    CHECK(player.timeline.counters().late_bytes == 0);
}

TEST_CASE("Timeline skips to the next random access point at the deadline") {
    Player player;
    player.play(1);
    player.have(2, 1000);
    player.at(seconds{1});
    auto dependent = chunk(4);
    dependent.is_independent = false;
    player.timeline.add(dependent);
    player.timeline.set_available({4}, first(chunk_size));
    player.have(5, 1);
    player.have(6);

    CHECK_FALSE(player.at(milliseconds{4999}));
    CHECK(player.at(seconds{5}));
    REQUIRE(player.timeline.segments().size() == 3);
    auto const& cut = player.timeline.segments()[1];
    CHECK(cut.released == 1000);
    CHECK(cut.is_closed);
    CHECK_FALSE(cut.is_complete());
    CHECK(player.newest().chunk.number == ChunkNumber{5});
    CHECK(player.newest().after_gap);
    CHECK(player.newest().released == 1);
    CHECK(player.timeline.state() == State::live);
    CHECK(player.timeline.counters().gaps == 1);
    CHECK(player.timeline.counters().gap_time == seconds{3 + 4 + 4});

    player.have(2);
    player.have(5);
    player.at(seconds{5});
    CHECK(player.released() == 2 * chunk_size + 1000 + chunk_size);
    CHECK_FALSE(player.newest().after_gap);
    CHECK(player.timeline.counters().gaps == 1);
}

TEST_CASE("Timeline stalls when nothing later has come, and goes on with what comes first") {
    Player player;
    player.play(1);
    CHECK_FALSE(player.at(seconds{4}));
    CHECK(player.timeline.state() == State::stalled);
    CHECK_FALSE(player.timeline.next_deadline());

    SECTION("the missing bytes, which are late") {
        player.have(2);
        CHECK(player.at(seconds{6}));
        CHECK(player.timeline.state() == State::live);
        CHECK(player.timeline.counters().late_bytes == 2000);
        CHECK(player.timeline.counters().gaps == 0);
        CHECK_FALSE(player.newest().after_gap);
    }
    SECTION("a later chunk") {
        player.have(3, 1);
        CHECK(player.at(seconds{6}));
        CHECK(player.timeline.state() == State::live);
        CHECK(player.newest().chunk.number == ChunkNumber{3});
        CHECK(player.newest().after_gap);
        CHECK(player.timeline.counters().late_bytes == 0);
        CHECK(player.timeline.counters().gap_time == seconds{4});
    }
}

TEST_CASE("Timeline holds an unknown record due at the end of the chunk before") {
    Player player;
    player.play(3);
    player.have(5);
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{12});
    CHECK_FALSE(player.at(milliseconds{11999}));
    CHECK(player.at(seconds{12}));
    CHECK(player.newest().chunk.number == ChunkNumber{5});
    CHECK(player.timeline.counters().gaps == 1);
    CHECK(player.timeline.counters().gap_time == seconds{4});
}

TEST_CASE("Timeline counts bytes released after their deadline as late, and no others") {
    Player player;
    player.play(1);
    player.have(2);
    CHECK(player.at(seconds{4}));
    CHECK(player.timeline.counters().late_bytes == 0);
    player.at(seconds{9});
    player.have(3, 500);
    player.at(seconds{9});
    CHECK(player.timeline.counters().late_bytes == 500);
    player.have(3);
    player.at(seconds{9});
    CHECK(player.timeline.counters().late_bytes == 1000);
}

TEST_CASE("Timeline takes a pause of the publisher for no hole") {
    Player player;
    player.play(3);
    auto restarted = chunk(4);
    restarted.epoch = {1};
    restarted.media_time += seconds{60};
    restarted.is_discontinuity = true;

    SECTION("the record comes in time and moves the deadline") {
        player.timeline.add(restarted);
        CHECK_FALSE(player.at(seconds{13}));
        CHECK(player.timeline.state() == State::live);
        CHECK(player.timeline.next_deadline() == start_of_test + seconds{72});
    }
    SECTION("the record comes after a stall") {
        player.at(seconds{13});
        CHECK(player.timeline.state() == State::stalled);
        player.timeline.add(restarted);
        player.at(seconds{70});
    }
    player.timeline.set_available({4}, first(chunk_size));
    CHECK(player.at(seconds{71}));
    CHECK_FALSE(player.newest().after_gap);
    CHECK(player.timeline.counters().gaps == 0);
    CHECK(player.timeline.counters().late_bytes == 0);
}

TEST_CASE("Timeline leaves the publisher's pause out of the media time lost") {
    Player player;
    player.play(1);
    for (std::uint64_t number : {3U, 4U}) {
        auto restarted = chunk(number);
        restarted.media_time += seconds{number == 4 ? 60 : 0};
        restarted.is_discontinuity = number == 4;
        player.timeline.add(restarted);
    }
    player.timeline.set_available({4}, first(chunk_size));
    CHECK(player.at(seconds{4}));
    CHECK(player.timeline.counters().gap_time == seconds{8});
}

TEST_CASE("Timeline moves deadlines later when chunks become longer, and never earlier") {
    Player player;
    player.play(3);
    CHECK(player.timeline.effective_latency() == seconds{7});
    auto longer = chunk(4);
    longer.duration = seconds{8};
    player.timeline.add(longer);
    player.at(seconds{1});
    CHECK(player.timeline.effective_latency() == seconds{13});
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{12 + 6});

    for (std::uint64_t number = 5; number < 40; ++number) {
        auto later = chunk(number);
        later.media_time += seconds{4};
        player.timeline.add(later);
    }
    player.at(seconds{2});
    CHECK(player.timeline.effective_latency() == seconds{13});
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{12 + 6});
}

TEST_CASE("Timeline gives the chunks of a young event their time to come") {
    Player player;
    player.have(1);
    player.timeline.start_at({1});
    player.at(seconds{0});
    // Chunk 2 closes after four seconds and then has to travel: it is due three seconds later.
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{7});
    player.have(2);
    player.at(milliseconds{4500});
    CHECK(player.timeline.counters().late_bytes == 0);
}

TEST_CASE("Timeline's latency is at least one and a half chunks and a second") {
    Timeline quick{Timeline::Options{seconds{3}}};
    CHECK(quick.effective_latency() == seconds{3});
    quick.add(chunk(1));
    CHECK(quick.effective_latency() == seconds{7});
    Timeline slow{Timeline::Options{seconds{20}}};
    slow.add(chunk(1));
    CHECK(slow.effective_latency() == seconds{20});
}

TEST_CASE("Timeline has ended when its last chunk is released") {
    Player player;
    player.play(2);
    player.timeline.end({3});
    CHECK_FALSE(player.at(seconds{1}));
    CHECK(player.timeline.state() == State::live);
    player.have(3);
    CHECK(player.at(seconds{2}));
    CHECK(player.timeline.state() == State::ended);
    CHECK(player.newest().is_complete());
    CHECK(player.timeline.counters().gaps == 0);
    CHECK_FALSE(player.timeline.next_deadline());
    player.have(4);
    CHECK_FALSE(player.at(seconds{3}));
    CHECK(player.timeline.segments().size() == 3);
}

TEST_CASE("Timeline ends at once when the end comes after the last chunk, or the event has none") {
    Player player;
    player.play(3);
    player.timeline.end({3});
    CHECK(player.at(seconds{0}));
    CHECK(player.timeline.state() == State::ended);

    Player empty;
    empty.timeline.end({0});
    CHECK(empty.at(seconds{0}));
    CHECK(empty.timeline.state() == State::ended);
}

TEST_CASE("Timeline skips chunks that are missing before the end") {
    Player player;
    player.play(1);
    player.timeline.end({3});
    player.have(3);
    CHECK_FALSE(player.at(milliseconds{3999}));
    CHECK(player.at(seconds{4}));
    CHECK(player.timeline.state() == State::ended);
    CHECK(player.newest().chunk.number == ChunkNumber{3});
    CHECK(player.newest().after_gap);
    CHECK(player.timeline.counters().gap_time == seconds{4});
}

TEST_CASE("Timeline ends with a gap when the last chunk is missing at its deadline") {
    Player player;
    player.play(2);
    player.timeline.end({3});

    SECTION("all of it") {
        CHECK_FALSE(player.at(milliseconds{7999}));
        CHECK(player.timeline.next_deadline() == start_of_test + seconds{8});
        CHECK_FALSE(player.timeline.advance(start_of_test + milliseconds{7999}));
        CHECK(player.at(seconds{8}));
        CHECK(player.timeline.counters().gap_time == seconds{4});
    }
    SECTION("its rest, and no byte has come for a latency's time") {
        player.have(3, 1000);
        player.at(seconds{7});
        CHECK_FALSE(player.at(milliseconds{13999}));
        CHECK(player.timeline.state() == State::stalled);
        CHECK(player.timeline.next_deadline() == start_of_test + seconds{14});
        CHECK(player.at(seconds{14}));
        CHECK(player.timeline.counters().gap_time == seconds{3});
        CHECK(player.newest().is_closed);
        CHECK_FALSE(player.newest().is_complete());
    }
    CHECK(player.timeline.state() == State::ended);
    CHECK(player.timeline.counters().gaps == 1);
}

TEST_CASE("Timeline ends with one gap when several last chunks are missing") {
    Player player;
    player.play(1);
    player.timeline.end({3});
    player.at(seconds{4});
    CHECK(player.timeline.state() == State::stalled);
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{8});
    CHECK(player.at(seconds{8}));
    CHECK(player.timeline.state() == State::ended);
    CHECK(player.timeline.counters().gaps == 1);
    CHECK(player.timeline.counters().gap_time == seconds{8});
}

TEST_CASE("Timeline takes no chunk after the end and keeps the first end") {
    Player player;
    player.play(2);
    player.have(4);
    player.timeline.end({3});
    player.timeline.end({9});
    player.have(5);
    CHECK(player.timeline.newest_media_time() == seconds{12});
    player.have(3);
    player.at(seconds{1});
    CHECK(player.timeline.state() == State::ended);
    CHECK(player.newest().chunk.number == ChunkNumber{3});
}

TEST_CASE("Timeline finds released segments and forgets those that retention dropped") {
    Player player;
    player.play(1);
    player.have(3);
    player.at(seconds{4});
    player.have(4, 100);
    player.at(seconds{4});
    auto const& timeline = player.timeline;
    REQUIRE(timeline.segments().size() == 3);
    CHECK(timeline.segment({2}) == nullptr);
    CHECK(timeline.segment({3}) == &timeline.segments()[1]);
    CHECK(timeline.segment_after({1}) == &timeline.segments()[1]);
    CHECK(timeline.segment_after({0}) == &timeline.segments()[0]);
    CHECK(timeline.segment_after({4}) == nullptr);

    player.timeline.forget_before({4});
    CHECK(timeline.segments().size() == 1);
    CHECK(timeline.segment_after({1})->chunk.number == ChunkNumber{4});
    player.timeline.forget_before({100});
    player.have(4);
    player.at(seconds{4});
    CHECK(timeline.segment({4})->is_complete());
}

TEST_CASE("Timeline tells how far it is behind and what is in hand") {
    Player player;
    CHECK(player.timeline.latency_now() == seconds{0});
    player.play(1);
    CHECK(player.timeline.newest_media_time() == seconds{12});
    CHECK(player.timeline.latency_now() == seconds{8});
    CHECK(player.timeline.ahead(player.now) == seconds{4});
    CHECK(player.timeline.ahead(player.now + seconds{3}) == seconds{1});
    CHECK(player.timeline.ahead(player.now + seconds{9}) == seconds{0});
    player.have(2);
    player.have(3, 1000);
    CHECK(player.timeline.buffered() == seconds{5});
    player.at(seconds{1});
    CHECK(player.timeline.buffered() == seconds{0});
    CHECK(player.timeline.latency_now() == seconds{3});
}
