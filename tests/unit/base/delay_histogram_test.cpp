#include "base/delay_histogram.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

TEST_CASE("A histogram of delays counts bytes below its bounds") {
    DelayHistogram delays;
    CHECK(delays.percentile(0.5) == 0ms);
    delays.add(-1s, 1); // clocks that disagree
    delays.add(50ms, 2);
    delays.add(51ms, 4);
    delays.add(2min, 8);
    CHECK(delays.count(0) == 3);
    CHECK(delays.count(1) == 4);
    CHECK(delays.count(DelayHistogram::bounds_ms.size()) == 8);
    CHECK(delays.total() == 15);
    CHECK(delays.sum_seconds() == Approx(2 * 0.05 + 4 * 0.051 + 8 * 120));
}

TEST_CASE("A percentile of delays is linear within its bucket") {
    DelayHistogram delays;
    delays.add(120ms, 100);
    delays.add(320ms, 100);
    CHECK(delays.percentile(0.25) == 125ms);
    CHECK(delays.percentile(0.5) == 150ms);
    CHECK(delays.percentile(0.75) == 325ms);
    delays.add(2min, 1000);
    CHECK(delays.percentile(0.99) == 60s); // beyond the last bound
}
