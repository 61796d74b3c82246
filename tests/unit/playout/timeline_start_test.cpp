#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

using State = Timeline::State;

TEST_CASE("Timeline releases nothing before it has a start") {
    Player player;
    player.have(1);
    CHECK_FALSE(player.at(seconds{0}));
    CHECK(player.timeline.state() == State::starting);
    CHECK_FALSE(player.timeline.has_start());
    CHECK_FALSE(player.timeline.playhead());
    CHECK_FALSE(player.timeline.next_deadline());
    CHECK(player.timeline.segments().empty());
}

TEST_CASE("Timeline starts with a whole chunk, however fast its first bytes come") {
    Player player;
    player.know(1, 3);
    player.timeline.start_at({1});
    player.have(1, 1000);
    CHECK_FALSE(player.at(seconds{0}));
    CHECK_FALSE(player.at(seconds{3}));
    CHECK(player.timeline.state() == State::starting);
    player.have(1);
    CHECK(player.at(seconds{3}));
    CHECK(player.released() == chunk_size);
    CHECK(player.timeline.counters().late_bytes == 0);
}

TEST_CASE("Timeline starts with what there is once its patience is over, or the event") {
    Player player;
    player.know(1, 3);
    player.timeline.start_at({1});
    player.have(1, 1000);
    SECTION("after the latency") {
        CHECK_FALSE(player.at(seconds{0}));
        CHECK(player.at(player.timeline.effective_latency()));
    }
    SECTION("at once when the event has ended") {
        player.timeline.end({3});
        CHECK(player.at(seconds{0}));
    }
    CHECK(player.released() == 1000);
}

TEST_CASE("Timeline chooses the newest random access point a latency back") {
    Player player;
    CHECK_FALSE(player.timeline.choose_start());
    player.know(1);
    CHECK(player.timeline.choose_start() == start_of(1));
    player.know(2, 10);
    CHECK(player.timeline.choose_start() == start_of(9));

    Timeline dependent{Timeline::Options{}};
    for (std::uint64_t number = 1; number <= 10; ++number) {
        auto next = chunk(number);
        next.is_independent = number % 5 == 1;
        dependent.add(next);
    }
    CHECK(dependent.choose_start() == start_of(6));
}

TEST_CASE("Timeline starts an ended event with its first known chunk") {
    Player player;
    player.know(3, 10);
    player.timeline.end({10});
    CHECK(player.timeline.choose_start() == start_of(3));
}

TEST_CASE("Timeline moves its start on when the chosen chunk does not come") {
    Player player;
    player.know(1, 3);
    player.timeline.start_at({1});
    player.have(2, 100);
    CHECK_FALSE(player.at(seconds{0}));
    CHECK(player.timeline.next_deadline() == start_of_test + seconds{7});
    CHECK_FALSE(player.at(milliseconds{6999}));
    CHECK(player.at(seconds{7}));
    CHECK(player.newest().chunk.number == ChunkNumber{2});
    CHECK_FALSE(player.newest().after_gap);
    CHECK(player.timeline.counters().gaps == 0);
    CHECK(player.timeline.deadline({2}, 0) == start_of_test + seconds{7});
}

TEST_CASE("Timeline starts at the live edge with a fifth of a second of media") {
    LivePlayer player;
    player.group(1, 0);
    player.timeline.start_at(start_of(1));
    CHECK_FALSE(player.at(seconds{0})); // what it spans isn't told yet
    player.group(1, 1);
    CHECK(player.at(seconds{0}));
    CHECK(player.released() == 2 * group_size);
}

TEST_CASE("Timeline starts with half the latency in hand while the live edge brings too little") {
    LivePlayer player;
    player.timeline.set_fed(false);
    player.groups(1, 0, 6); // 1.25 s are there for certain, of 1.5
    player.timeline.start_at(start_of(1));
    CHECK_FALSE(player.at(seconds{0}));
    SECTION("until that is there") {
        player.group(1, 6);
        CHECK(player.at(milliseconds{100}));
    }
    SECTION("or it brings as much as is recorded") {
        player.timeline.set_fed(true);
        CHECK(player.at(milliseconds{100}));
    }
    SECTION("or the latency asked for is over") {
        CHECK_FALSE(player.at(milliseconds{2999}));
        CHECK(player.at(seconds{3}));
    }
}

TEST_CASE("Timeline starts at the live edge with less when the chunk ends or patience does") {
    LivePlayer player;
    player.group(1, 15);
    player.timeline.start_at({{1}, 15 * group_size});
    CHECK_FALSE(player.at(seconds{0}));
    SECTION("the chunk is there to its end") {
        player.know(1);
        CHECK(player.at(seconds{0}));
    }
    SECTION("the latency asked for is over") {
        CHECK_FALSE(player.at(milliseconds{2999}));
        CHECK(player.at(seconds{3}));
    }
    CHECK(player.released() == group_size);
    CHECK(player.newest().begin == 15 * group_size);
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline moves its start to no random access point that would end in a gap at once") {
    LivePlayer player;
    player.group(1, 4);
    player.groups(1, 6, 9); // one is missing
    player.timeline.start_at(start_of(1));
    CHECK_FALSE(player.at(seconds{0}));
    CHECK_FALSE(player.at(seconds{3}));
    player.group(1, 9);
    CHECK(player.at(milliseconds{3100}));
    CHECK(player.newest().begin == 8 * group_size);
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline leaves a start that has not come for one that the live edge has brought") {
    LivePlayer player;
    player.have(1, 100); // too little of the chosen start
    player.timeline.start_at(start_of(1));
    player.group(2, 4);
    CHECK_FALSE(player.at(milliseconds{100}));
    player.group(2, 5);
    CHECK(player.at(milliseconds{200}));
    CHECK(player.newest().begin == 4 * group_size);
    CHECK(player.released() == 2 * group_size);
    CHECK(player.timeline.counters().gaps == 0);
}

TEST_CASE("Timeline waits for a start while only bytes of a later chunk have come") {
    LivePlayer player;
    player.timeline.start_at(start_of(1));
    player.have(2, 100);
    CHECK_FALSE(player.at(milliseconds{100}));
    CHECK(player.timeline.playhead() == start_of(1));
}

TEST_CASE("Timeline starts with half a second of media across the end of a chunk") {
    LivePlayer player;
    player.groups(1, 12, 14);
    player.timeline.start_at({{1}, 12 * group_size});
    player.timeline.set_size({1}, 14 * group_size);
    player.groups(2, 0, 2);
    CHECK(player.at(seconds{0}));
    CHECK(player.timeline.playhead() == Timeline::Position{{2}, 2 * group_size});
}

TEST_CASE("Timeline chooses a mark in an open chunk, also one that it has joined in its middle") {
    LivePlayer player;
    player.groups(7, 3, 6); // nothing is a latency back yet
    CHECK(player.timeline.choose_start() == Timeline::Position{{7}, 4 * group_size});
    player.groups(7, 6, 16);
    CHECK(player.timeline.choose_start() == Timeline::Position{{7}, 4 * group_size});
    player.groups(8, 0, 6); // 5.25 s after the start of chunk 7
    CHECK(player.timeline.choose_start() == Timeline::Position{{7}, 8 * group_size});

    SECTION("and plays from there") {
        player.timeline.start_at(*player.timeline.choose_start());
        CHECK(player.at(seconds{0}));
        CHECK(player.newest().begin == 8 * group_size);
        // 3.25 s of media after the first byte.
        CHECK(player.timeline.deadline({8}, 5 * group_size) == start_of_test + milliseconds{3250});
        player.know(7);
        player.at(seconds{0});
        CHECK(player.timeline.playhead() == Timeline::Position{{8}, 6 * group_size});
        CHECK_FALSE(player.timeline.segments().front().is_complete());
        CHECK_FALSE(player.timeline.segments().front().awaits_record());
        CHECK(player.timeline.counters().gaps == 0);
    }
    SECTION("but not one that it has passed") {
        player.timeline.start_at(start_of(8));
        player.groups(7, 0, 16);
        player.timeline.end({8});
        CHECK(player.timeline.choose_start() == start_of(8));
    }
}

TEST_CASE("Timeline knows the start of an open chunk from the group that holds it") {
    LivePlayer player;
    player.timeline.mark(group_mark(5, 2));
    CHECK_FALSE(player.timeline.choose_start());
    player.timeline.mark(group_mark(5, 0));
    CHECK(player.timeline.choose_start() == start_of(5));
    auto const dependent = [] {
        auto mark = group_mark(6, 0);
        mark.is_random_access_point = false;
        return mark;
    }();
    Timeline other{Timeline::Options{}};
    other.mark(dependent);
    CHECK_FALSE(other.choose_start());
    other.add(chunk(6));
    CHECK(other.choose_start() == start_of(6));
}

TEST_CASE("Timeline chooses among records and marks by their media time") {
    LivePlayer player;
    player.know(1, 4);
    CHECK(player.timeline.choose_start() == start_of(4));
    player.groups(5, 0, 2);
    CHECK(player.timeline.choose_start() == start_of(4));
    player.groups(5, 2, 16);
    CHECK(player.timeline.choose_start() == start_of(5));
    player.timeline.set_edge(false); // 4 s chunks: 7 s back of 19.75 s
    CHECK(player.timeline.choose_start() == start_of(4));
}
