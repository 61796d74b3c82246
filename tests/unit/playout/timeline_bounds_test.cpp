#include "base/limits.hpp"
#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

using State = Timeline::State;

TEST_CASE("Timeline does not move for a number far ahead before the hole is due") {
    Player player;
    player.play(1);
    auto far = chunk(1'000'000'000'000);
    far.media_time = seconds{100};
    player.timeline.add(far);
    player.timeline.set_available(far.number, first(chunk_size));
    CHECK_FALSE(player.at(milliseconds{3999}));
    CHECK(player.timeline.playhead() == Timeline::Position{{2}, 0});
    player.have(2);
    CHECK(player.at(seconds{4}));
    CHECK(player.timeline.playhead() == Timeline::Position{{3}, 0});
}

TEST_CASE("Timeline keeps a window of the chunks nearest the playhead") {
    Player player;
    player.know(1, 3);
    player.timeline.start_at({1});
    player.at(seconds{0});
    player.know(4, limits::feed_window + 500);
    player.have(1);
    player.at(seconds{0});
    CHECK(player.timeline.deadline({limits::feed_window}, 0));
    CHECK_FALSE(player.timeline.deadline({limits::feed_window + 1}, 0));
    // The playhead has left one place, and the chunk that found none may be told again.
    player.know(limits::feed_window + 1);
    CHECK(player.timeline.deadline({limits::feed_window + 1}, 0));
    CHECK_FALSE(player.timeline.deadline({limits::feed_window + 2}, 0));
}

TEST_CASE("Timeline keeps the newest window while it has no start") {
    Player player;
    player.know(1, limits::feed_window + 500);
    CHECK(player.timeline.choose_start() == start_of(limits::feed_window + 499));
    player.timeline.end({limits::feed_window + 500});
    CHECK(player.timeline.choose_start() == start_of(501));
}

TEST_CASE("Timeline lets go of lost chunks when a long outage has filled its window") {
    Player player;
    player.play(3);
    player.know(4, limits::feed_window + 3);
    player.at(std::chrono::hours{3});
    CHECK(player.timeline.state() == State::stalled);
    auto const newest = limits::feed_window + 700;
    player.have(newest);
    CHECK(player.at(std::chrono::hours{3}));
    CHECK(player.newest().chunk.number == ChunkNumber{newest});
    CHECK(player.timeline.counters().gap_time == seconds{4} * (newest - 4));
}

TEST_CASE("Timeline saturates on absurd times") {
    constexpr auto most = MediaTime::max();
    constexpr auto least = MediaTime::min();
    auto const times = {least, MediaTime{-1}, MediaTime{0}, MediaTime{1}, most - seconds{1}, most};
    for (auto const media_time : times) {
        for (auto const duration : times) {
            Timeline timeline{Timeline::Options{duration}};
            for (std::uint64_t number : {1U, 2U, 4U, 6U}) {
                auto absurd = chunk(number);
                absurd.media_time = number % 2 == 0 ? media_time : duration;
                absurd.duration = duration;
                absurd.size = number == 4 ? std::numeric_limits<std::uint64_t>::max() : 1;
                timeline.add(absurd);
                CHECK(timeline.choose_start());
            }
            timeline.start_at({1});
            auto now = start_of_test;
            timeline.set_available({1}, first(1));
            timeline.set_available({4}, first(std::numeric_limits<std::uint64_t>::max() / 2));
            timeline.set_available({6}, first(1));
            for (auto step = 0; step < 4; ++step) {
                timeline.advance(now);
                CHECK(timeline.latency_now() >= MediaTime::zero());
                CHECK(timeline.counters().gap_time >= MediaTime::zero());
                CHECK(timeline.buffered() >= MediaTime::zero());
                auto const due = timeline.deadline({4}, 1);
                CHECK((!due || *due >= start_of_test));
                now += std::chrono::hours{24 * 365 * 30};
            }
            CHECK(timeline.counters().late_bytes <= timeline.counters().released_bytes);
        }
    }
    Timeline timeline{Timeline::Options{}};
    timeline.add(chunk(1));
    timeline.set_available({1}, first(chunk_size));
    timeline.start_at({1});
    timeline.advance(MonotonicTime::max() - std::chrono::nanoseconds{5});
    CHECK(timeline.deadline({1}, chunk_size) == MonotonicTime::max());
}

namespace {

struct Arrival {
    MediaTime time{};
    std::uint64_t number = 0;
    std::uint64_t bytes = 0; // 0: the record
};

/// Records and bytes of an event, delayed, lost and in any order.
std::vector<Arrival> random_arrivals(std::mt19937& random, std::uint64_t chunks) {
    std::uniform_int_distribution<int> delay_ms{0, 9000};
    std::uniform_int_distribution<int> chance{0, 9};
    std::vector<Arrival> arrivals;
    for (std::uint64_t number = 1; number <= chunks; ++number) {
        auto const closed = seconds{4 * static_cast<std::int64_t>(number)};
        if (chance(random) == 0) continue;
        arrivals.push_back({closed + milliseconds{delay_ms(random)}, number, 0});
        for (std::uint64_t part = 1; part <= 4; ++part) {
            if (chance(random) == 0) break;
            auto const time = closed + milliseconds{delay_ms(random)};
            arrivals.push_back({time, number, part * chunk_size / 4});
        }
    }
    std::sort(arrivals.begin(), arrivals.end(), [](auto const& a, auto const& b) {
        return a.time < b.time;
    });
    return arrivals;
}

/// What holds of the released segments after every step.
void check_released(
    Timeline const& timeline, std::map<std::uint64_t, std::uint64_t> const& present
) {
    std::uint64_t total = 0;
    std::uint64_t gaps = 0;
    std::optional<Timeline::Segment> before;
    for (auto const& segment : timeline.segments()) {
        auto const number = segment.chunk.number.value;
        total += segment.released;
        gaps += segment.after_gap ? 1 : 0;
        REQUIRE(segment.released > 0);
        REQUIRE(segment.released <= present.at(number));
        if (before) {
            REQUIRE(before->chunk.number < segment.chunk.number);
            REQUIRE(before->is_closed);
            auto const follows =
                before->is_complete() && before->chunk.number.next() == segment.chunk.number;
            REQUIRE(segment.after_gap == !follows);
            REQUIRE((follows || segment.chunk.is_independent));
        }
        before = segment;
    }
    REQUIRE(total == timeline.counters().released_bytes);
    auto const ended_in_gap = timeline.counters().gaps - gaps;
    REQUIRE(ended_in_gap <= (timeline.state() == State::ended ? 1U : 0U));
}

} // namespace

TEST_CASE("Timeline releases prefixes in order, once, and accounts for every gap, whatever the "
          "order of arrival") {
    constexpr std::uint64_t chunks = 40;
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        Player player;
        player.know(1);
        player.timeline.start_at({1});
        player.have(1);
        std::map<std::uint64_t, std::uint64_t> present{{1, chunk_size}};
        player.at(seconds{0});
        for (auto const& arrival : random_arrivals(random, chunks)) {
            auto next = chunk(arrival.number);
            next.is_independent = arrival.number % 3 != 0;
            auto& bytes = present[arrival.number];
            bytes = std::max(bytes, arrival.bytes);
            if (arrival.bytes == 0) player.timeline.add(next);
            player.timeline.set_available({arrival.number}, first(bytes));
            player.at(arrival.time);
            check_released(player.timeline, present);
        }
        player.timeline.end({chunks});
        player.at(seconds{4 * chunks + 60});
        check_released(player.timeline, present);
        REQUIRE(player.timeline.state() == State::ended);

        auto shown = MediaTime::zero();
        for (auto const& segment : player.timeline.segments()) {
            shown += milliseconds{segment.released};
        }
        REQUIRE(shown + player.timeline.counters().gap_time <= seconds{4 * chunks});
        auto const last = player.newest().chunk.number.value;
        REQUIRE(shown + player.timeline.counters().gap_time >= seconds{4 * (last - 1)});
        REQUIRE(player.timeline.counters().late_bytes <= player.timeline.counters().released_bytes);
    }
}

TEST_CASE("Timeline gives the same result however often it is advanced in between") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        auto const arrivals = random_arrivals(random, 30);
        Player eager;
        Player exact;
        for (auto* player : {&eager, &exact})
            player->play(1);
        auto const step = [](Player& player, Arrival const& arrival) {
            if (arrival.bytes == 0) player.know(arrival.number);
            player.timeline.set_available({arrival.number}, first(arrival.bytes));
            player.timeline.advance(player.now);
        };
        for (auto const& arrival : arrivals) {
            auto const time = start_of_test + arrival.time;
            for (; eager.now + milliseconds{250} < time; eager.now += milliseconds{250}) {
                eager.timeline.advance(eager.now);
            }
            while (auto const due = exact.timeline.next_deadline()) {
                if (*due >= time) break;
                exact.timeline.advance(*due);
            }
            eager.now = exact.now = time;
            step(eager, arrival);
            step(exact, arrival);
            REQUIRE(eager.timeline.playhead() == exact.timeline.playhead());
            REQUIRE(eager.released() == exact.released());
            REQUIRE(eager.timeline.counters().gaps == exact.timeline.counters().gaps);
        }
    }
}
