#include "simulation/scenario.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::simulation;

namespace {

/// A scenario with a hundred peers, a tenth of them liars; only those that share count.
Report run_small(std::string_view name, std::string_view share, std::string_view seed) {
    auto options = scenario(name);
    REQUIRE(options);
    REQUIRE(set_option(*options, share, "0.1"));
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
        CHECK(result.within_1 >= 0.98);
        CHECK(result.within_5 >= 0.999);
    }
}
