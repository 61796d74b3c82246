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
    CHECK(player.timeline.choose_start() == ChunkNumber{1});
    player.know(2, 10);
    CHECK(player.timeline.choose_start() == ChunkNumber{9});

    Timeline dependent{Timeline::Options{}};
    for (std::uint64_t number = 1; number <= 10; ++number) {
        auto next = chunk(number);
        next.is_independent = number % 5 == 1;
        dependent.add(next);
    }
    CHECK(dependent.choose_start() == ChunkNumber{6});
}

TEST_CASE("Timeline starts an ended event with its first known chunk") {
    Player player;
    player.know(3, 10);
    player.timeline.end({10});
    CHECK(player.timeline.choose_start() == ChunkNumber{3});
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
