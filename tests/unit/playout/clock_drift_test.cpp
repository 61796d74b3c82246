#include "playout/clock_drift.hpp"
#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

namespace {

constexpr MediaTime day = std::chrono::hours{24};

/// Records every four seconds, up to a second late, while `lost_per_record` of slack is lost with
/// each; returns by how much deadlines have moved after `span`.
MediaTime correction_after(MediaTime span, MediaTime lost_per_record) {
    ClockDrift drift;
    std::mt19937 random{1};
    std::uniform_int_distribution<int> jitter_ms{0, 1000};
    MediaTime corrected{};
    MediaTime lost{};
    for (MediaTime time{}; time < span; time += seconds{4}, lost += lost_per_record) {
        auto const slack = seconds{3} - milliseconds{jitter_ms(random)} - lost + corrected;
        corrected += drift.note(start_of_test + time, slack);
    }
    return corrected;
}

} // namespace

TEST_CASE("Clock drift of a slow publisher moves deadlines by what the clock loses") {
    auto const lost = day / 20'000; // 50 ppm
    auto const corrected = correction_after(day, std::chrono::microseconds{200});
    CHECK(corrected > lost - milliseconds{200});
    CHECK(corrected < lost + milliseconds{300});
}

TEST_CASE("Clock drift leaves deadlines alone when clocks agree or the publisher's is fast") {
    CHECK(correction_after(day, MediaTime{0}) < milliseconds{200});
    CHECK(correction_after(day, MediaTime{-200}) == MediaTime::zero());
}

TEST_CASE("Clock drift does not follow congestion") {
    ClockDrift drift;
    MediaTime corrected{};
    for (auto minute = 0; minute < 60; ++minute) {
        auto const slack = minute < 10 ? seconds{3} : seconds{-20};
        corrected += drift.note(start_of_test + std::chrono::minutes{minute}, slack);
    }
    CHECK(corrected <= day / 24 / 2000);
}

TEST_CASE("Timeline keeps its deadlines in step with a slow publisher") {
    Player player;
    player.play(3);
    auto const chunks = 2 * day / seconds{4};
    for (std::int64_t number = 4; number <= chunks; ++number) {
        MediaTime const closed = seconds{4 * (number - 2)};
        auto const chunk = static_cast<std::uint64_t>(number);
        player.have(chunk);
        player.at(closed + closed / 20'000);
        player.timeline.forget_before({chunk});
    }
    // More than eight seconds were lost; those in hand beyond the latency are not made up for.
    CHECK(player.timeline.counters().late_bytes == 0);
    auto const in_hand = player.timeline.ahead(player.now);
    CHECK(in_hand > milliseconds{6900});
    CHECK(in_hand < milliseconds{7100});
}
