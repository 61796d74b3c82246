#include "edge/repair.hpp"
#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t newest = 100;

constexpr milliseconds span{250};

/// One that plays three seconds behind and lacks a stripe of each of the newest 32 groups, which
/// its neighbours have.
struct Lacking : Node {
    Lacking()
        : Node({2}, 0, 2, 0, seconds{3}) {
        auto advert = advert_of(2, 0);
        advert.newest = {newest};
        for (std::uint64_t id = 10; id < 13; ++id) {
            enter(id, {static_cast<std::uint32_t>(id)});
            hear(id, advert);
        }
        for (auto group = newest - 31; group <= newest; ++group)
            block(10, {0}, group, path_of({1, 10}), (newest - group) * span);
    }
    std::map<GroupNumber, std::size_t> asked() {
        std::map<GroupNumber, std::size_t> tries;
        for (auto const& want : take<WantBlocks>()) {
            CHECK(want.stripes == mask_of({1}));
            ++tries[want.group];
        }
        return tries;
    }
};

/// Neighbour 10 has every stripe, and enough uplink to spare for a viewer to begin as far back as
/// it wants.
void meet_one(Node& viewer) {
    auto advert = advert_of(9, 0);
    advert.spare = 9;
    viewer.enter(10, {10});
    viewer.hear(10, advert);
}

/// All that it asks of this one is accepted.
void subscribe_all(Node& viewer, std::uint64_t parent, NodePath const& path) {
    for (int i = 0; i < 10; ++i) {
        viewer.wait(milliseconds{50});
        for (auto const& request : viewer.sent<SubscribeMessage>(parent))
            viewer.hear(parent, AcceptMessage{request.stripe, path, {}});
        viewer.forget();
    }
}

/// How long it waits before it asks for what a group lacks, of which seven stripes have come;
/// `flows`: of later ones all come, from a parent of each.
milliseconds
time_until_asked(Node& viewer, std::uint64_t parent, NodePath const& path, bool flows) {
    auto const came = viewer.now();
    auto const pass = [&](std::uint64_t group, std::uint8_t stripes) {
        for (std::uint8_t s = 0; s < stripes; ++s)
            viewer.block(parent, {s}, group, path);
        if (stripes >= 8) viewer.policy().on_rebuilt({group}, viewer.now());
    };
    pass(newest + 1, 7);
    auto group = newest + 2;
    pass(group, flows ? 9 : 7);
    for (int step = 1; viewer.take<WantBlocks>().empty() && step < 80; ++step) {
        viewer.wait(milliseconds{50});
        if (flows && step % (span / milliseconds{50}) == 0) pass(++group, 9);
    }
    return std::chrono::duration_cast<milliseconds>(viewer.now() - came);
}

} // namespace

TEST_CASE("Repair leaves what would come too late to be played") {
    Lacking viewer;
    auto const begun = viewer.now();
    while (viewer.asked().empty() && viewer.now() - begun < seconds{2})
        viewer.wait(milliseconds{50});
    REQUIRE_FALSE(viewer.asked().empty());
    auto const left = seconds{4} - (viewer.now() - begun); // three seconds, and one more
    CHECK(
        viewer.asked().begin()->first ==
        GroupNumber{newest - static_cast<std::uint64_t>(left / span)}
    );
}

TEST_CASE("Repair asks a few times for a group, and ever more seldom") {
    Lacking viewer;
    viewer.wait(milliseconds{2200});
    auto const soon = viewer.asked();
    REQUIRE_FALSE(soon.empty());
    for (auto const& [group, tries] : soon)
        CHECK(tries <= 3);
    viewer.wait(seconds{6});
    for (auto const& [group, tries] : viewer.asked())
        CHECK(tries <= 6);
}

TEST_CASE("Repair asks another sooner when one lacks a group") {
    for (bool const is_told : {true, false}) {
        Lacking viewer;
        viewer.wait(milliseconds{1600});
        auto const wants = viewer.take<WantBlocks>();
        REQUIRE_FALSE(wants.empty());
        auto const first = wants.back();
        if (is_told) viewer.policy().on_missing(first.neighbour, first.group, viewer.now());
        viewer.forget();
        viewer.wait(milliseconds{300});
        auto const again = viewer.take<WantBlocks>();
        auto const found = std::ranges::find(again, first.group, &WantBlocks::group);
        REQUIRE((found != again.end()) == is_told);
        if (is_told) CHECK_FALSE(found->neighbour == first.neighbour);
    }
}

TEST_CASE("Who plays a second behind asks for what it lacks while there is time") {
    for (auto const latency : {seconds{1}, seconds{3}}) {
        CAPTURE(latency.count());
        Node viewer{{2}, 0, 8, 1, latency};
        meet_one(viewer);
        subscribe_all(viewer, 10, path_of({1, 10}));
        auto const waited = time_until_asked(viewer, 10, path_of({1, 10}), true);
        CHECK(waited >= (latency == seconds{1} ? milliseconds{300} : milliseconds{1200}));
        CHECK(waited < (latency == seconds{1} ? milliseconds{800} : milliseconds{2400}));
    }
}

TEST_CASE("Who begins near the newest group asks soon for what it lacks: it waits for nothing else"
) {
    for (bool const is_near : {true, false}) {
        CAPTURE(is_near);
        Node viewer{{2}, 18, 8, 1, seconds{3}};
        viewer.enter(1, source_id, true);
        auto advert = advert_of(9, 0);
        advert.spare = is_near ? 8 : 9;
        viewer.hear(1, advert);
        viewer.enter(10, {10});
        advert.spare = 0; // it has the blocks, and no place
        for (auto& stripe : advert.stripes)
            stripe.need = StripeAdvert::nobody;
        viewer.hear(10, advert);
        subscribe_all(viewer, 1, path_of({1}));
        REQUIRE(viewer.policy().starts_near() == is_near);
        auto const waited = time_until_asked(viewer, 1, path_of({1}), true);
        CHECK(waited >= (is_near ? milliseconds{300} : milliseconds{1200}));
        CHECK(waited < (is_near ? milliseconds{800} : milliseconds{2400}));
    }
}

TEST_CASE("What no parent brings is asked for soon") {
    Node viewer{{2}, 0, 8, 1, seconds{3}};
    meet_one(viewer);
    viewer.wait(seconds{1});
    auto const waited = time_until_asked(viewer, 10, path_of({1, 10}), false);
    CHECK(waited >= milliseconds{300});
    CHECK(waited < milliseconds{900});
}

TEST_CASE("Where all comes late, what is missing is asked for before it is due") {
    Node viewer{{2}, 0, 8, 1, seconds{3}};
    meet_one(viewer);
    subscribe_all(viewer, 10, path_of({1, 10}));
    // The first block of each group comes two seconds after it was made.
    auto group = newest + 1;
    auto const pass = [&](std::uint8_t stripes) {
        for (std::uint8_t s = 0; s < stripes; ++s)
            viewer.block(10, {s}, group, path_of({1, 10}), seconds{2});
        if (stripes >= 8) viewer.policy().on_rebuilt({group}, viewer.now());
        ++group;
    };
    pass(7);
    auto const came = viewer.now();
    for (int step = 1; viewer.take<WantBlocks>().empty() && step < 80; ++step) {
        viewer.wait(milliseconds{50});
        if (step % 5 == 0) pass(9);
    }
    CHECK(viewer.now() - came >= milliseconds{300});
    CHECK(viewer.now() - came < milliseconds{1000}); // with what is left of three seconds
}

TEST_CASE("A block of a group that nobody has as a whole is asked of one that gets its stripe") {
    Node viewer{{2}, 0, 8, 1, seconds{3}};
    auto advert = advert_of(9, 0);
    advert.spare = 9;
    advert.incomplete = 255;
    for (std::uint64_t id = 10; id < 13; ++id) {
        viewer.enter(id, {static_cast<std::uint32_t>(id)});
        // Each lacks two stripes, and has the others up to its newest group but for the last one.
        for (auto& stripe : advert.stripes)
            stripe.is_flowing = (stripe.stripe.value + id) % 3 != 0;
        viewer.hear(id, advert);
    }
    viewer.wait(seconds{1});
    for (auto const group : {newest + 1, newest + 2}) {
        for (std::uint8_t s = 0; s < 6; ++s)
            viewer.block(10, {s}, group, path_of({1, 10}));
    }
    viewer.wait(milliseconds{2500});
    auto const wants = viewer.take<WantBlocks>();
    REQUIRE_FALSE(wants.empty());
    for (auto const& want : wants) {
        for (StripeIndex s; s.value < 9; ++s) {
            if (has(want.stripes, s)) CHECK((s.value + want.neighbour.value) % 3 != 0);
        }
    }
}

TEST_CASE("Who neither sends what it was asked for nor says no comes last for some seconds") {
    Node viewer{{2}, 0, 2, 0, seconds{3}};
    auto advert = advert_of(2, 0);
    advert.newest = {newest};
    for (std::uint64_t id = 10; id < 13; ++id) {
        viewer.enter(id, {static_cast<std::uint32_t>(id)});
        viewer.hear(id, advert);
    }
    for (auto const group : {newest, newest + 1})
        viewer.block(10, {0}, group, path_of({1, 10}));
    std::vector<NeighbourId> asked;
    for (int i = 0; i < 90; ++i) {
        viewer.forget();
        viewer.wait(milliseconds{50});
        for (auto const& want : viewer.take<WantBlocks>())
            asked.push_back(want.neighbour);
    }
    REQUIRE(asked.size() >= 3);
    CHECK_FALSE(asked[1] == asked[0]);
    CHECK_FALSE(asked[2] == asked[1]);
}
