#include "base/limits.hpp"
#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

using State = Timeline::State;

TEST_CASE("Timeline keeps few chunks open, the newest before a start and the nearest after it") {
    LivePlayer player;
    for (std::uint64_t number = 1; number <= 9; ++number)
        player.group(number, 0);
    CHECK(player.timeline.newest_media_time() == seconds{32});
    player.timeline.end({8}); // the first of an ended event: the oldest still known
    CHECK(player.timeline.choose_start() == start_of(6));

    LivePlayer started;
    started.play_groups(8);
    for (std::uint64_t number = 2; number <= 9; ++number)
        started.timeline.mark(group_mark(number, 0));
    CHECK(started.timeline.deadline({limits::edge_open_chunks}, 0));
    CHECK_FALSE(started.timeline.deadline({limits::edge_open_chunks + 1}, 0));
    // A record makes room, and brings its own.
    started.know(9);
    CHECK(started.timeline.deadline({9}, 0));
    started.know(2);
    started.timeline.mark(group_mark(5, 0));
    CHECK(started.timeline.deadline({5}, 0));
}

TEST_CASE("Timeline opens no chunk behind the playhead, behind the end, or that cannot be") {
    LivePlayer player;
    player.groups(5, 0, 8);
    player.timeline.start_at(start_of(5));
    player.at(seconds{0});
    player.timeline.mark(group_mark(4, 0));
    player.timeline.end({6});
    player.timeline.mark(group_mark(7, 0));
    auto absurd = group_mark(6, 0);
    absurd.at = {{std::numeric_limits<std::uint64_t>::max()}, 0};
    player.timeline.mark(absurd);
    absurd.at = {{0}, 0};
    player.timeline.mark(absurd);
    absurd.at = {{6}, limits::chunk_size};
    player.timeline.mark(absurd);
    player.timeline.set_size({6}, 5);
    for (std::uint64_t number : {0U, 4U, 6U, 7U})
        CHECK_FALSE(player.timeline.deadline({number}, 0));
}

TEST_CASE("Timeline does not move for a group far ahead before the hole is due") {
    LivePlayer player;
    player.play_groups(8);
    auto far = group_mark(1, 0);
    far.at.chunk = {1'000'000'000'000};
    far.media_time = seconds{100};
    player.timeline.mark(far);
    player.timeline.set_available(far.at.chunk, first(group_size));
    CHECK_FALSE(player.at(milliseconds{2999}));
    CHECK(player.timeline.playhead()->chunk == ChunkNumber{1});
    player.group(1, 8);
    CHECK(player.at(milliseconds{3000}));
    CHECK(player.timeline.playhead() == Timeline::Position{{1}, 9 * group_size});
}

TEST_CASE("Timeline keeps a bounded number of marks, the newest before a start") {
    auto const tell = [](Timeline& timeline, std::uint64_t number) {
        for (std::uint64_t index = 1; index <= limits::edge_marks; ++index) {
            Timeline::Mark mark;
            mark.at = {{number}, index};
            mark.media_time = seconds{static_cast<std::int64_t>(number * 100)};
            mark.is_random_access_point = true;
            timeline.mark(mark);
        }
    };
    Timeline waiting{Timeline::Options{}};
    tell(waiting, 1);
    CHECK(waiting.choose_start() == Timeline::Position{{1}, 1});
    tell(waiting, 2);
    waiting.end({2});
    CHECK(waiting.choose_start() == Timeline::Position{{2}, 1});

    LivePlayer player;
    player.play_groups(8);
    tell(player.timeline, 2);
    player.groups(3, 4, 5); // finds no room
    player.at(std::chrono::hours{1});
    CHECK(player.timeline.state() == State::stalled);
    player.bytes(2, 7, 8);
    CHECK(player.at(std::chrono::hours{1}));
    CHECK(player.timeline.playhead() == Timeline::Position{{2}, 8});
}

TEST_CASE("Timeline saturates on absurd times of groups") {
    constexpr auto most = MediaTime::max();
    constexpr auto least = MediaTime::min();
    auto const times = {least, MediaTime{-1}, MediaTime{0}, MediaTime{1}, most - seconds{1}, most};
    for (auto const early : times) {
        for (auto const late : times) {
            Timeline timeline{Timeline::Options{}};
            timeline.set_edge(true);
            for (std::uint64_t number : {1U, 2U, 4U}) {
                for (std::uint64_t offset : {0U, 10U, 20U, 30U})
                    timeline.mark({{{number}, offset}, offset < 20 ? early : late, {}, true, true});
                timeline.set_available({number}, ranges(number == 4 ? 10 : 0, 25));
            }
            REQUIRE(timeline.choose_start());
            timeline.start_at(start_of(1));
            auto now = start_of_test;
            for (auto step = 0; step < 6; ++step) {
                timeline.advance(now);
                CHECK(timeline.latency_now() >= MediaTime::zero());
                CHECK(timeline.counters().gap_time >= MediaTime::zero());
                CHECK(timeline.buffered() >= MediaTime::zero());
                auto const due = timeline.deadline({4}, 15);
                CHECK((!due || *due >= start_of_test));
                auto absurd = chunk(static_cast<std::uint64_t>(step) + 1);
                absurd.media_time = late;
                absurd.duration = early;
                absurd.size = 24;
                if (step > 2) timeline.add(absurd);
                now += std::chrono::hours{24 * 365 * 30};
            }
            CHECK(timeline.counters().late_bytes <= timeline.counters().released_bytes);
        }
    }
}

namespace {

struct Arrival {
    enum class Kind { group, record, size, bytes };
    MediaTime time{};
    Kind kind = Kind::group;
    std::uint64_t number = 0;
    std::uint64_t index = 0;
};

/// Groups of an event as they are recorded, delayed, lost and in any order; records, some of them
/// never; now and then a chunk's end from a group, and lost bytes from the swarm.
std::vector<Arrival> random_groups(std::mt19937& random, std::uint64_t chunks) {
    std::uniform_int_distribution<int> delay_ms{0, 4000};
    std::uniform_int_distribution<int> chance{0, 19};
    std::vector<Arrival> arrivals;
    auto const add = [&](MediaTime sent, Arrival::Kind kind, auto number, auto index) {
        arrivals.push_back({sent + milliseconds{delay_ms(random)}, kind, number, index});
    };
    for (std::uint64_t number = 1; number <= chunks; ++number) {
        for (std::uint64_t index = 0; index < chunk_groups; ++index) {
            auto const recorded = group_mark(number, index + 1).media_time;
            auto const is_lost = chance(random) == 0;
            if (!is_lost) add(recorded, Arrival::Kind::group, number, index);
            if (is_lost && chance(random) < 10)
                add(recorded + seconds{2}, Arrival::Kind::bytes, number, index);
        }
        auto const closed = chunk(number).end();
        if (chance(random) > 3) add(closed, Arrival::Kind::record, number, 0U);
        if (chance(random) > 9) add(closed, Arrival::Kind::size, number, 0U);
    }
    std::stable_sort(arrivals.begin(), arrivals.end(), [](auto const& a, auto const& b) {
        return a.time < b.time;
    });
    return arrivals;
}

void take(LivePlayer& player, Arrival const& arrival) {
    auto const begin = arrival.index * group_size;
    switch (arrival.kind) {
    case Arrival::Kind::group:
        return player.group(arrival.number, arrival.index);
    case Arrival::Kind::bytes:
        return player.bytes(arrival.number, begin, begin + group_size);
    case Arrival::Kind::size:
        return player.timeline.set_size({arrival.number}, chunk_size);
    case Arrival::Kind::record:
        player.know(arrival.number);
        // As of a store: what came before the chunk was known counts from now on.
        player.bytes(arrival.number, 0, 0);
    }
}

/// What holds of the released segments after every step.
void check_released(LivePlayer& player) {
    auto const& timeline = player.timeline;
    std::uint64_t total = 0;
    std::uint64_t gaps = 0;
    Timeline::Segment const* before = nullptr;
    for (auto const& segment : timeline.segments()) {
        auto const& [number, size] = std::pair{segment.chunk.number, segment.chunk.size};
        total += segment.released - segment.begin;
        gaps += segment.after_gap ? 1 : 0;
        REQUIRE(segment.released > segment.begin);
        REQUIRE(player.present[number.value].contains(segment.begin, segment.released));
        REQUIRE((segment.begin % (4 * group_size) == 0 || before == nullptr));
        if (segment.is_complete()) REQUIRE((segment.begin == 0 && segment.released == chunk_size));
        if (before != nullptr) {
            REQUIRE(before->position() < segment.position());
            REQUIRE(before->is_closed);
            auto const follows = before->chunk.number.next() == number && segment.begin == 0 &&
                                 before->released == chunk_size;
            REQUIRE((segment.after_gap || follows));
            REQUIRE((!segment.after_gap || segment.is_entry()));
        }
        before = &segment;
    }
    REQUIRE(total == timeline.counters().released_bytes);
    auto const ended_in_gap = timeline.counters().gaps - gaps;
    REQUIRE(ended_in_gap <= (timeline.state() == State::ended ? 1U : 0U));
    REQUIRE(timeline.latency_now() >= MediaTime::zero());
}

} // namespace

TEST_CASE("Timeline releases groups in order, once, and accounts for every gap, whatever the order "
          "of arrival") {
    constexpr std::uint64_t chunks = 30;
    std::uint64_t skips_inside = 0;
    std::uint64_t complete = 0;
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        LivePlayer player;
        player.group(1, 0);
        player.timeline.start_at(start_of(1));
        for (auto const& arrival : random_groups(random, chunks)) {
            take(player, arrival);
            player.at(arrival.time);
            check_released(player);
        }
        player.timeline.end({chunks});
        for (auto const patience : {60U, 120U}) // what is left is given up once no byte has come
            player.at(seconds{4 * chunks + patience});
        check_released(player);
        REQUIRE(player.timeline.state() == State::ended);

        auto shown = MediaTime::zero();
        for (auto const& segment : player.timeline.segments()) {
            shown += milliseconds{segment.released - segment.begin};
            if (segment.after_gap && segment.begin > 0) ++skips_inside;
            if (segment.is_complete()) ++complete;
        }
        // What was released of a group is known to the group's begin only, or to a second where
        // one was lost: a gap may be told that much too long, but never too short.
        auto const& counters = player.timeline.counters();
        auto const gaps = static_cast<std::int64_t>(counters.gaps);
        REQUIRE(shown + counters.gap_time <= seconds{4 * chunks} + seconds{1} * gaps);
        auto const last = player.newest();
        auto const reached = last.chunk.media_time;
        REQUIRE(shown + counters.gap_time >= reached);
        REQUIRE(counters.late_bytes <= counters.released_bytes);
    }
    CHECK(skips_inside > 30);
    CHECK(complete > 30);
}

TEST_CASE("Timeline gives the same result however often it is advanced between groups") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        LivePlayer eager;
        LivePlayer exact;
        for (auto* player : {&eager, &exact})
            player->play_groups(6);
        for (auto const& arrival : random_groups(random, 20)) {
            auto const time = start_of_test + arrival.time;
            for (; eager.now + milliseconds{50} < time; eager.now += milliseconds{50})
                eager.timeline.advance(eager.now);
            while (auto const due = exact.timeline.next_deadline()) {
                if (*due >= time) break;
                exact.timeline.advance(*due);
            }
            for (auto* player : {&eager, &exact}) {
                player->now = time;
                player->timeline.advance(time);
                take(*player, arrival);
                player->timeline.advance(time);
            }
            REQUIRE(eager.timeline.playhead() == exact.timeline.playhead());
            REQUIRE(eager.released() == exact.released());
            REQUIRE(eager.timeline.counters().gap_time == exact.timeline.counters().gap_time);
        }
    }
}

TEST_CASE("Timeline never moves a deadline earlier, whatever becomes of the edge") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        LivePlayer player;
        player.play_groups(6);
        auto const deadline_of_anchor = [&] {
            player.know(1000); // its media time is fixed
            return player.timeline.deadline({1000}, 0);
        };
        auto before = deadline_of_anchor();
        for (auto const& arrival : random_groups(random, 20)) {
            if (random() % 50 == 0) player.timeline.set_edge(random() % 2 == 0);
            take(player, arrival);
            player.at(arrival.time);
            auto const now = deadline_of_anchor();
            REQUIRE(now);
            REQUIRE(*now >= *before);
            before = now;
        }
    }
}
