#include "base/limits.hpp"
#include "swarm/rendezvous.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace minuteswarm;

namespace {

using std::chrono::milliseconds;
using Kind = Rendezvous::Step::Kind;

constexpr NeighbourId introducer{7};

PeerEndpoint peer(std::uint16_t port) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7}, port};
}

/// Steps as they become due, each with how long after the dial.
std::vector<std::pair<Duration, Rendezvous::Step>> steps_of(Rendezvous& rendezvous) {
    std::vector<std::pair<Duration, Rendezvous::Step>> steps;
    for (Duration after{}; after < milliseconds{4000}; after += milliseconds{10}) {
        for (auto const& step : rendezvous.take_due(MonotonicTime{} + after))
            steps.emplace_back(after, step);
    }
    return steps;
}

} // namespace

TEST_CASE("Who does not answer is asked for where it was named, then connected to, twice") {
    std::mt19937_64 random{1};
    Rendezvous rendezvous;
    rendezvous.note_dialled(peer(1), introducer, {}, random);
    rendezvous.note_dialled(peer(1), {8}, {}, random); // as it is named again meanwhile
    auto const steps = steps_of(rendezvous);
    REQUIRE(steps.size() == 3);
    CHECK(steps[0].second.kind == Kind::ask);
    CHECK(steps[0].second.introducer == introducer);
    CHECK(steps[0].first >= milliseconds{750});
    CHECK(steps[1].second.kind == Kind::connect);
    CHECK(steps[1].second.peer == peer(1));
    CHECK(steps[1].first - steps[0].first == milliseconds{250});
    CHECK(steps[2].second.kind == Kind::connect);
    CHECK(steps[2].first - steps[1].first == milliseconds{1500});
    rendezvous.note_dialled(peer(1), introducer, {}, random);
    CHECK(steps_of(rendezvous).size() == 3);
}

TEST_CASE("Who is about to connect itself is left to it, unless it was asked for already") {
    std::mt19937_64 random{1};
    Rendezvous rendezvous;
    rendezvous.note_dialled(peer(1), introducer, {}, random);
    rendezvous.note_dialled(peer(2), introducer, {}, random);
    CHECK(rendezvous.note_introduced(peer(1)));
    CHECK_FALSE(rendezvous.note_introduced(peer(3)));
    auto const steps = steps_of(rendezvous);
    REQUIRE(steps.size() == 3);
    CHECK(std::ranges::all_of(steps, [](auto const& step) { return step.second.peer == peer(2); }));
    rendezvous.note_dialled(peer(1), introducer, {}, random);
    REQUIRE(rendezvous.take_due(MonotonicTime{} + milliseconds{1300}).size() == 1);
    CHECK_FALSE(rendezvous.note_introduced(peer(1)));
    CHECK(rendezvous.take_due(MonotonicTime{} + milliseconds{1600}).size() == 1);
}

TEST_CASE("Who answered is asked for no more") {
    std::mt19937_64 random{1};
    Rendezvous rendezvous;
    rendezvous.note_dialled(peer(1), introducer, {}, random);
    rendezvous.forget(peer(1));
    CHECK(steps_of(rendezvous).empty());
}

TEST_CASE("Two that are named to each other at once seldom ask at once") {
    std::mt19937_64 random{1};
    std::set<Duration> asked;
    for (std::uint16_t i = 1; i <= 20; ++i) {
        Rendezvous rendezvous;
        rendezvous.note_dialled(peer(i), introducer, {}, random);
        asked.insert(steps_of(rendezvous).front().first);
    }
    CHECK(asked.size() >= 10);
}

TEST_CASE("However many are named, a bounded number is waited for") {
    std::mt19937_64 random{1};
    Rendezvous rendezvous;
    for (std::uint16_t i = 1; i <= 1000; ++i)
        rendezvous.note_dialled(peer(i), introducer, {}, random);
    CHECK(steps_of(rendezvous).size() == 3 * limits::awaited_dials);
}
