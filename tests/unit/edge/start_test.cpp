#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <tuple>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("A joiner asks from the newest random access point that is old enough") {
    // Three seconds back if its parent has uplink to spare for that, or else the nearest: the next.
    for (auto const& [spare, start] : {std::pair{9, 86}, std::pair{8, 112}}) {
        Node viewer{{2}, 0, 8, 1, seconds{3}}; // twelve groups of 250 ms
        viewer.enter(1, source_id, true);
        auto advert = advert_of(9, 0);
        advert.spare = static_cast<std::uint8_t>(spare);
        advert.entries = {{99}, {86}, {75}};
        viewer.hear(1, advert);
        viewer.wait(seconds{2});
        auto const asked = viewer.sent<SubscribeMessage>(1);
        REQUIRE_FALSE(asked.empty());
        GroupNumber const first{static_cast<std::uint64_t>(start)};
        CHECK(asked.front().first == first);
        CHECK(viewer.policy().start() == first);
        CHECK(viewer.policy().starts_near() == (spare < 9));
    }
}

TEST_CASE("A joiner waits for the next random access point if that is nearer") {
    // They come each twenty groups; when it asks its parent, 106 is the newest group.
    for (auto const& [entry, start] : {std::pair{92, 112}, std::pair{98, 98}}) {
        CAPTURE(entry);
        Node viewer{{2}, 0, 8, 1, seconds{5}};
        viewer.enter(1, source_id, true);
        auto advert = advert_of(9, 0);
        advert.spare = 8;
        auto const newest = static_cast<std::uint64_t>(entry);
        advert.entries = {{newest}, {newest - 20}};
        viewer.hear(1, advert);
        viewer.wait(seconds{2});
        auto const asked = viewer.sent<SubscribeMessage>(1);
        REQUIRE_FALSE(asked.empty());
        CHECK(viewer.policy().starts_near());
        CHECK(asked.front().first == GroupNumber{static_cast<std::uint64_t>(start)});
    }
}

TEST_CASE("A joiner whom nobody tells of an entry asks for the last second") {
    Node viewer{{2}, 0, 8, 1, seconds{3}};
    viewer.enter(1, source_id, true);
    auto advert = advert_of(9, 0);
    advert.entries = {{20}}; // further back than a request can name
    viewer.hear(1, advert);
    viewer.wait(seconds{2});
    auto const asked = viewer.sent<SubscribeMessage>(1);
    REQUIRE_FALSE(asked.empty());
    CHECK(asked.front().first.value >= 97);
}

TEST_CASE("A joiner does not begin where only one neighbour says that the stream is") {
    Node viewer{{2}, 10};
    for (std::uint64_t id = 3; id < 7; ++id) {
        viewer.enter(id, {static_cast<std::uint32_t>(id)});
        auto advert = advert_of(9, 0);
        if (id == 3) advert.newest = {1'000'000'000};
        viewer.hear(id, advert);
    }
    viewer.wait(milliseconds{500});
    std::size_t asked = 0;
    for (std::uint64_t id = 3; id < 7; ++id) {
        for (auto const& request : viewer.sent<SubscribeMessage>(id)) {
            CHECK(request.first.value <= 103);
            ++asked;
        }
    }
    CHECK(asked >= 8);
}

TEST_CASE("A joiner does not begin far back because others have nothing yet") {
    Node viewer{{2}, 4, 8, 1, milliseconds{1500}};
    for (std::uint64_t id = 3; id < 7; ++id) {
        viewer.enter(id, {static_cast<std::uint32_t>(id)});
        auto advert = advert_of(9, 0);
        advert.newest = {id == 3 ? 100U : 0U};
        if (id == 3) advert.entries = {{96}, {88}, {80}, {72}};
        if (id != 3) advert.stripes.clear();
        viewer.hear(id, advert);
    }
    viewer.wait(milliseconds{500});
    auto const asked = viewer.sent<SubscribeMessage>(3);
    REQUIRE_FALSE(asked.empty());
    CHECK(asked[0].first == GroupNumber{96}); // the newest that is old enough
}

TEST_CASE("A joiner whose parent has only just come begins where the others say") {
    for (bool const has_entries : {true, false}) {
        CAPTURE(has_entries);
        Node viewer{{2}, 0, 8, 1, seconds{3}};
        viewer.enter(3, {3});
        auto advert = advert_of(0, 0); // it knows, but sends nothing
        if (has_entries) advert.entries = {{99}, {86}, {75}};
        viewer.hear(3, advert);
        viewer.enter(10, {10});
        auto newcomer = advert_of(9, 0);
        newcomer.newest = {};
        viewer.hear(10, newcomer);
        viewer.wait(milliseconds{500});
        auto const asked = viewer.sent<SubscribeMessage>(10);
        REQUIRE_FALSE(asked.empty());
        // What is further back nobody could bring.
        auto const first = asked.front().first.value;
        CHECK((has_entries ? first == 99 : first >= 97));
        CHECK(viewer.policy().starts_near());
    }
}

TEST_CASE("A joiner begins near when others come with it, who lack all that it does") {
    for (auto const& [newest, start] : {std::pair{0, 112}, std::pair{100, 86}}) {
        CAPTURE(newest);
        Node viewer{{2}, 0, 8, 1, seconds{3}};
        viewer.enter(10, {10});
        auto other = advert_of(0, 0);
        other.newest = {static_cast<std::uint64_t>(newest)};
        viewer.hear(10, other);
        viewer.enter(1, source_id, true);
        auto advert = advert_of(9, 0);
        advert.spare = 9;
        advert.entries = {{99}, {86}, {75}};
        viewer.hear(1, advert);
        viewer.wait(seconds{2});
        auto const asked = viewer.sent<SubscribeMessage>(1);
        REQUIRE_FALSE(asked.empty());
        CHECK(asked.front().first == GroupNumber{static_cast<std::uint64_t>(start)});
        CHECK(viewer.policy().starts_near() == (newest == 0));
    }
}

TEST_CASE("Of radio a parent that feeds fewer is better than one that has blocks a little sooner") {
    Node viewer{{2}, 0, 2, 0, seconds{5}}; // groups of 250 ms
    for (auto const& [id, spare, age] : {std::tuple{10, 0, 0}, {11, 3, 60}}) {
        auto advert = advert_of(2, 0);
        advert.slots = 3;
        advert.spare = static_cast<std::uint8_t>(spare);
        for (auto& stripe : advert.stripes)
            stripe.age = milliseconds{age};
        auto const neighbour = static_cast<std::uint64_t>(id);
        viewer.enter(neighbour, {static_cast<std::uint32_t>(id)});
        viewer.hear(neighbour, advert);
    }
    viewer.wait(milliseconds{200});
    CHECK(viewer.sent<SubscribeMessage>(10).empty());
    CHECK_FALSE(viewer.sent<SubscribeMessage>(11).empty());
}
