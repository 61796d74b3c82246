#include "base/limits.hpp"
#include "edge/edge_parameters.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("Edge parameters follow the bitrate") {
    CHECK(choose_parameters(24'000) == EdgeParameters{1000, 2, 0});
    CHECK(choose_parameters(40'000) == EdgeParameters{500, 2, 0});
    CHECK(choose_parameters(64'000) == EdgeParameters{500, 2, 0});
    CHECK(choose_parameters(128'000) == EdgeParameters{500, 4, 1});
    CHECK(choose_parameters(192'000) == EdgeParameters{500, 8, 1});
    CHECK(choose_parameters(320'000) == EdgeParameters{250, 8, 1});
    CHECK(choose_parameters(1'000'000) == EdgeParameters{250, 8, 1});
    CHECK(choose_parameters(2'500'000) == EdgeParameters{125, 8, 1});
}

TEST_CASE("A bitrate that is not known yet gives the usual parameters") {
    CHECK(choose_parameters(0) == EdgeParameters{250, 8, 1});
}

TEST_CASE("Parity is the user's choice, within what a mask of stripes holds") {
    CHECK(choose_parameters(1'000'000, 0).parity == 0);
    CHECK(choose_parameters(1'000'000, 4).parity == 4);
    CHECK(choose_parameters(40'000, 1).parity == 1);
    CHECK(choose_parameters(1'000'000, 255).parity == limits::edge_stripes - 8);
}

TEST_CASE("No bitrate gives parameters that a descriptor cannot state") {
    for (std::uint64_t bitrate = 1; bitrate < std::uint64_t{1} << 40; bitrate *= 3) {
        auto const parameters = choose_parameters(bitrate);
        CHECK(parameters.span_ms >= 125);
        CHECK(parameters.span_ms <= 1000);
        CHECK(parameters.stripes >= 2);
        CHECK(parameters.stripes <= 8);
    }
}

TEST_CASE("A block is late that is older than the stripe's usually are, by so many spans") {
    using namespace std::chrono_literals;
    CHECK_FALSE(is_late(2900ms, 0ms, 500ms, 2));
    CHECK(is_late(3100ms, 0ms, 500ms, 2));
    CHECK_FALSE(is_late(4900ms, 2000ms, 500ms, 2)); // where the whole tree is so far behind
    CHECK(is_late(5100ms, 2000ms, 500ms, 2));
    CHECK_FALSE(is_late(3900ms, 0ms, 250ms, 8)); // 6 spans would be 1.5 s
    CHECK(is_late(4100ms, 0ms, 250ms, 8));
    CHECK(is_late(6100ms, 0ms, 1000ms, 8));
}

TEST_CASE("An uplink is narrow when it is known and small") {
    CHECK(is_narrow(56'000));
    CHECK_FALSE(is_narrow(1'000'000));
    CHECK_FALSE(is_narrow(0));
}
