#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr StripeMask all_data = 0xff;

/// A newcomer that wants to start three seconds back.
struct Joiner : Node {
    Joiner()
        : Node({2}, 0, 8, 1, seconds{3}) {}
};

/// The source and neighbours that say they can help.
void meet(Node& viewer, std::uint64_t helpers, std::uint8_t spare = 5) {
    viewer.enter(1, source_id, true);
    auto advert = advert_of(9, 0);
    advert.entries = {{99}, {86}, {75}};
    viewer.hear(1, advert);
    advert.spare = spare;
    for (std::uint64_t id = 10; id < 10 + helpers; ++id) {
        viewer.enter(id, {static_cast<std::uint32_t>(id)});
        viewer.hear(id, advert);
    }
}

std::map<GroupNumber, StripeMask> wanted(Node& viewer) {
    std::map<GroupNumber, StripeMask> found;
    for (auto const& want : viewer.take<WantBlocks>())
        found[want.group] |= want.stripes;
    return found;
}

} // namespace

TEST_CASE("A joiner has its first seconds from those with uplink to spare") {
    Joiner viewer;
    meet(viewer, 6);
    viewer.wait(milliseconds{200});
    auto const asked = wanted(viewer);
    REQUIRE_FALSE(asked.empty());
    CHECK(asked.begin()->first == GroupNumber{86});
    CHECK(asked.begin()->second == all_data);
    std::set<NeighbourId> whom;
    for (auto const& want : viewer.take<WantBlocks>()) {
        CHECK(count(want.stripes) <= 2); // 8 blocks of 6 neighbours
        whom.insert(want.neighbour);
    }
    CHECK(whom.size() == 6);
    CHECK_FALSE(whom.contains({1}));
    for (auto const& request : viewer.sent<SubscribeMessage>(1))
        CHECK(request.first.value >= 97); // what comes before need not come from there
}

TEST_CASE(
    "A joiner asks for what playing begins with before all else, most of those with most to spare"
) {
    Joiner viewer;
    meet(viewer, 6);
    auto generous = advert_of(9, 0);
    generous.entries = {{99}, {86}, {75}};
    generous.spare = 200; // it claims
    viewer.hear(10, generous);
    viewer.wait(milliseconds{200});
    std::map<NeighbourId, std::size_t> asked;
    for (auto const& want : viewer.take<WantBlocks>()) {
        CHECK(want.group < GroupNumber{86 + 5}); // 1.25 s
        asked[want.neighbour] += count(want.stripes);
    }
    CHECK(asked.size() == 6);
    CHECK(asked[{10}] > asked[{11}]);
    CHECK(asked[{10}] <= 2 * asked[{11}]);
}

TEST_CASE(
    "A joiner asks its parents for the newest entry on when hardly anybody has uplink to spare"
) {
    for (auto [helpers, spare] : {std::pair{3, 5}, std::pair{6, 0}}) {
        Joiner viewer;
        meet(viewer, static_cast<std::uint64_t>(helpers), static_cast<std::uint8_t>(spare));
        viewer.wait(milliseconds{200});
        CHECK(wanted(viewer).empty());
        std::set<GroupNumber> from;
        for (std::uint64_t id = 1; id < 20; ++id) {
            for (auto const& request : viewer.sent<SubscribeMessage>(id))
                from.insert(request.first);
        }
        CHECK(from == std::set<GroupNumber>{{99}});
    }
}

TEST_CASE("A joiner asks another when a neighbour lacks what it is asked for") {
    Joiner viewer;
    meet(viewer, 5);
    viewer.wait(milliseconds{100});
    auto const first = viewer.take<WantBlocks>();
    REQUIRE_FALSE(first.empty());
    viewer.forget();
    viewer.policy().on_missing(first.front().neighbour, first.front().group, viewer.now());
    viewer.wait(milliseconds{150});
    std::set<GroupNumber> again;
    for (auto const& want : viewer.take<WantBlocks>()) {
        CHECK_FALSE(want.neighbour == first.front().neighbour);
        again.insert(want.group);
    }
    CHECK(again.contains(first.front().group));
}

TEST_CASE("A joiner asks anew when no answer comes, and only within its first seconds") {
    Joiner viewer;
    meet(viewer, 5);
    viewer.wait(milliseconds{100});
    viewer.forget();
    viewer.wait(milliseconds{500});
    CHECK(wanted(viewer).contains({86}));
    viewer.block(10, {0}, 100, path_of({1, 10}));
    viewer.wait(seconds{3});
    viewer.forget();
    viewer.wait(milliseconds{400});
    CHECK(wanted(viewer).empty());
}

TEST_CASE("What a joiner has asked for to begin with is not repaired until that may have come") {
    Joiner viewer;
    meet(viewer, 5);
    viewer.wait(milliseconds{100});
    REQUIRE(wanted(viewer).contains({86}));
    viewer.forget();
    for (auto const group : {86, 87}) // the newest one is not repaired
        viewer.block(10, {0}, static_cast<std::uint64_t>(group), path_of({1, 10}), seconds{3});
    viewer.wait(milliseconds{400});
    CHECK_FALSE(wanted(viewer).contains({86}));
    viewer.wait(milliseconds{200});
    CHECK(wanted(viewer).contains({86}));
}

TEST_CASE("What was asked for and has come is asked for no more") {
    Joiner viewer;
    meet(viewer, 5);
    viewer.wait(milliseconds{100});
    viewer.forget();
    for (StripeIndex s; s.value < 8; ++s)
        viewer.block(10, s, 86, path_of({1, 10}));
    viewer.policy().on_rebuilt({86}, viewer.now());
    viewer.wait(milliseconds{500});
    CHECK_FALSE(wanted(viewer).contains({86}));
}

TEST_CASE("A neighbour that claims any number of groups is asked for few") {
    Joiner viewer;
    meet(viewer, 3);
    auto advert = advert_of(9, 0);
    advert.newest = {1'000'000'000'000};
    advert.entries = {{86}};
    viewer.enter(30, {30});
    viewer.hear(30, advert);
    viewer.wait(seconds{1});
    for (auto const& [group, stripes] : wanted(viewer))
        CHECK(group.value < 86 + limits::edge_accounted_groups);
}
