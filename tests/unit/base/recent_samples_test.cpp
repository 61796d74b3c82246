#include "base/recent_samples.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

TEST_CASE("A percentile is the value below which the share of the samples lies", "[base]") {
    RecentSamples samples{1000};
    CHECK(samples.percentile(0.5) == 0ms);
    samples.add(7ms);
    CHECK(samples.percentile(0.99) == 7ms);
    for (int i = 101; i > 0; --i) {
        if (i != 7) samples.add(std::chrono::milliseconds{i});
    }
    CHECK(samples.percentile(0.5) == 51ms);
    CHECK(samples.percentile(0.99) == 100ms);
    CHECK(samples.percentile(1) == 101ms);
}

TEST_CASE("Old samples make room for new ones and still count", "[base]") {
    RecentSamples samples{10};
    for (int i = 0; i < 25; ++i)
        samples.add(std::chrono::milliseconds{i});
    CHECK(samples.count() == 25);
    CHECK(samples.percentile(0) == 15ms);
    CHECK(samples.percentile(1) == 24ms);
}
