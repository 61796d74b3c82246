#include "simulation/scenario.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::simulation;

namespace {

/// Viewers that begin three seconds back, at a random access point each two seconds.
Report started(std::size_t peers, double source, double uplink) {
    auto options = *scenario("steady");
    options.peers = peers;
    options.join_time = 3;
    options.from = 5;
    options.length = 40;
    options.uplink = uplink;
    options.model.source_uplink = source;
    options.model.start_back = std::chrono::seconds{3};
    options.model.entry_groups = 8;
    return run(options);
}

} // namespace

TEST_CASE("A viewer alone with a source that has plenty begins soon and misses nothing") {
    auto const report = started(1, 4, 1);
    CHECK(report.first_p50 < 1.5);
    CHECK(report.late_after_first == 0);
}

TEST_CASE("Thirty who come within three seconds begin soon, and hardly miss anything") {
    auto const report = started(30, 4, 2);
    CHECK(report.first_p50 < 2);
    CHECK(report.first_p95 < 3.5);
    CHECK(report.late_after_first < 0.01);
}
