#include "playout/release_delays.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

constexpr WallTime start{1'000'000s};

ReleaseDelays::Group group(std::uint64_t chunk, std::uint64_t offset, MediaTime since_start) {
    return {{{chunk}, offset}, start + since_start};
}

} // namespace

TEST_CASE("The bytes of a group came evenly until the next one began") {
    ReleaseDelays delays;
    delays.add(group(1, 0, 0ms), {{1}, 0}, 500, start + 1s);
    delays.add(group(1, 0, 0ms), {{1}, 500}, 1000, start + 2s);
    CHECK(delays.histogram().total() == 0);
    delays.add(group(1, 1000, 400ms), {{1}, 1000}, 1100, start + 2s);
    CHECK(delays.histogram().total() == 1000);
    // The first half 1 s less 0 to 200 ms, the second 2 s less 200 to 400 ms.
    CHECK(delays.histogram().sum_seconds() == Approx(500 * 0.9 + 500 * 1.7).epsilon(0.005));
}

TEST_CASE("The last group of a chunk ends with its bytes") {
    ReleaseDelays delays;
    delays.add(group(1, 1000, 0ms), {{1}, 1000}, 2000, start + 1s);
    delays.add(group(2, 0, 200ms), {{2}, 0}, 100, start + 1s);
    CHECK(delays.histogram().sum_seconds() == Approx(1000 * 0.9).epsilon(0.005));
}

TEST_CASE("Where the next group does not follow soon, the first byte's time is taken for all") {
    auto const next = GENERATE(MediaTime{-1ms}, MediaTime{3s});
    ReleaseDelays delays;
    delays.add(group(1, 0, 0ms), {{1}, 0}, 1000, start + 1s);
    delays.add(group(1, 5000, next), {{1}, 5000}, 5100, start + 1s);
    CHECK(delays.histogram().sum_seconds() == Approx(1000));
    // And backwards, as when a forged offset said so.
    delays.add(group(1, 100, next), {{1}, 100}, 200, start + 1s);
    CHECK(delays.histogram().total() == 1100);
}

TEST_CASE("Bytes before a gap are not taken to have come while it lasted") {
    ReleaseDelays delays;
    delays.add(group(1, 0, 0ms), {{1}, 0}, 1000, start + 1s);
    delays.add(group(1, 5000, 1s), {{1}, 5000}, 5100, start + 2s);
    CHECK(delays.histogram().sum_seconds() == Approx(1000));
    delays.add(group(2, 700, 2s), {{2}, 700}, 800, start + 2s); // not the first of its chunk
    CHECK(delays.histogram().sum_seconds() == Approx(1000 + 100));
}

TEST_CASE("A group in endless pieces is counted nevertheless") {
    ReleaseDelays delays;
    for (std::uint64_t at = 0; at < 1000; ++at)
        delays.add(group(1, 0, 0ms), {{1}, at}, at + 1, start + 1s);
    CHECK(delays.histogram().total() > 900);
}
