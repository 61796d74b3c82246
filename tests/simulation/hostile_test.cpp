#include "simulation/scenario.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::simulation;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A scenario with a hundred peers, some of them liars, as is said; only those that share count.
Report run_small(
    std::string_view name,
    std::string_view kind,
    std::string_view seed,
    std::string_view share = "0.1"
) {
    auto options = scenario(name);
    REQUIRE(options);
    REQUIRE(set_option(*options, kind, share));
    REQUIRE(set_option(*options, "seed", seed));
    options->peers = 100;
    options->length = 35;
    return run(*options);
}

} // namespace

TEST_CASE("A tenth of peers that claim everything and send nothing costs the others nothing") {
    for (std::string_view const seed : {"1", "2"}) {
        CAPTURE(seed);
        auto const result = run_small("liars", "holes", seed);
        CHECK(result.within_1 >= 0.99);
        CHECK(result.within_5 >= 0.999);
    }
}

TEST_CASE("A third of peers that claim everything and send nothing have lost the source in time") {
    std::vector<double> in_time;
    for (std::string_view const seed : {"1", "2", "3", "4", "5", "6"}) {
        auto options = scenario("liars");
        REQUIRE(set_option(*options, "seed", seed));
        options->peers = 100;
        options->from = 30; // each root of theirs takes five seconds to be found out
        options->length = 60;
        in_time.push_back(run(*options).within_5);
    }
    CHECK(std::ranges::min(in_time) >= 0.98); // 0 while lacks were counted as they came
}

TEST_CASE("Peers that say of each block that they have it from the source harm nobody") {
    for (std::string_view const share : {"0.1", "0.33"}) {
        for (std::string_view const seed : {"1", "2"}) {
            CAPTURE(share, seed);
            auto const result = run_small("forgers", "forge", seed, share);
            CHECK(result.within_1 >= 0.99);
            CHECK(result.within_5 >= 0.999);
        }
    }
}

TEST_CASE("Sessions that take all slots of a narrow source and send nothing lose them") {
    for (unsigned const seed : {1U, 2U, 3U}) {
        CAPTURE(seed);
        ModelOptions options;
        options.seed = seed;
        options.source_uplink = 1.5;
        SwarmModel model{options};
        PeerOptions hog;
        hog.forwards = false;
        hog.claims_the_best = true;
        hog.claimed = 6;
        constexpr std::size_t hogs = 6;
        for (std::size_t i = 0; i < hogs; ++i)
            model.join_at(MonotonicTime{} + milliseconds{100 + 20 * i}, hog);
        model.run_until(MonotonicTime{} + seconds{2});
        auto const& source = *model.node(0).policy;
        REQUIRE(source.used_slots() == source.slots());
        PeerOptions viewer;
        viewer.uplink = 2;
        for (int i = 0; i < 40; ++i)
            model.join_at(MonotonicTime{} + seconds{2} + milliseconds{50 * i}, viewer);
        model.run_until(MonotonicTime{} + seconds{50});
        auto const from = MonotonicTime{} + seconds{20};
        Window const window{from, MonotonicTime{} + seconds{40}, seconds{5}, true};
        auto const result = report(model, window, seconds{30});
        CHECK(result.joined == 1);
        CHECK(result.within_5 >= 0.99);
        std::size_t taken = 0;
        for (StripeIndex s; s.value < 9; ++s) {
            taken += static_cast<std::size_t>(std::ranges::count_if(
                source.children(s), [](auto const& child) { return child.id.value <= hogs; }
            ));
        }
        CHECK(taken <= 1); // of ten
    }
}

TEST_CASE("Peers that hold blocks back and say they do not are found out") {
    for (std::string_view const seed : {"1", "2"}) {
        CAPTURE(seed);
        auto const result = run_small("late_liars", "late", seed);
        CHECK(result.p50 < 1);
        CHECK(result.within_2 >= 0.85);
        CHECK(result.within_5 >= 0.99);
    }
}

TEST_CASE("Roots that hold blocks back lose their places at the source") {
    // They have four of nine roots before anybody could know.
    CHECK(run_small("late_liars", "late", "6").within_5 >= 0.95); // 0.61 while they kept them
}

TEST_CASE("Peers that pass on a group in ten do not stop the others") {
    for (std::string_view const seed : {"1", "2"}) {
        CAPTURE(seed);
        auto const result = run_small("dribblers", "dribble", seed);
        CHECK(result.within_1 >= 0.95); // 0.976 on average of forty seeds
        CHECK(result.within_5 >= 0.999);
    }
}
