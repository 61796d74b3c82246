#include "simulation/scenario.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

// The tree that the product is compared with has to be a fair one.

using namespace minuteswarm;
using namespace minuteswarm::simulation;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

ScenarioOptions options_of(std::string_view name, std::initializer_list<std::string_view> changes) {
    auto options = scenario(name);
    REQUIRE(options);
    for (auto const change : changes) {
        auto const equals = change.find('=');
        REQUIRE(set_option(*options, change.substr(0, equals), change.substr(equals + 1)));
    }
    return *options;
}

std::unique_ptr<RelayTree> settled(ScenarioOptions const& options, seconds time) {
    auto tree = std::make_unique<RelayTree>(options.model);
    populate(*tree, options);
    tree->run_until(MonotonicTime{} + time);
    return tree;
}

/// Hops to the source; none: a circle, or a parent is missing.
std::optional<std::size_t> depth(RelayTree const& tree, NodeIndex node) {
    std::size_t hops = 0;
    while (node != 0) {
        auto const parent = tree.node(node).parent;
        if (!parent || ++hops > tree.nodes().size()) return std::nullopt;
        node = *parent;
    }
    return hops;
}

bool is_in_circle(RelayTree const& tree, NodeIndex node) {
    std::size_t hops = 0;
    for (auto parent = tree.node(node).parent; parent; parent = tree.node(*parent).parent) {
        if (++hops > tree.nodes().size()) return true;
    }
    return false;
}

std::size_t cut_off(RelayTree const& tree) {
    return static_cast<std::size_t>(std::ranges::count_if(tree.alive(), [&](auto node) {
        return !depth(tree, node);
    }));
}

std::size_t overloaded(RelayTree const& tree) {
    return static_cast<std::size_t>(std::ranges::count_if(tree.alive(), [&](auto node) {
        return tree.node(node).children.size() > RelayTree::copies(tree.node(node));
    }));
}

/// The viewer with most children.
NodeIndex widest(RelayTree const& tree) {
    return *std::ranges::max_element(tree.alive(), {}, [&](auto node) {
        return node == 0 ? 0 : tree.node(node).children.size();
    });
}

} // namespace

TEST_CASE("Everybody joins a relay tree that has room, and no uplink carries more than it can") {
    for (std::string_view const seed : {"seed=1", "seed=2", "seed=3"}) {
        CAPTURE(seed);
        auto const options = options_of("flash", {"n=300", seed});
        auto const tree = settled(options, seconds{30});
        CHECK(cut_off(*tree) == 0);
        CHECK(overloaded(*tree) == 0);
        auto const result = run(options_of("flash", {"n=300", "tree=1", seed}));
        CHECK(result.joined == 1);
        CHECK(result.unserved == 0);
        CHECK(result.within_5 >= 0.98);
        CHECK(result.source_upload <= 1.01);
        CHECK(result.duplicates == 0);
    }
}

TEST_CASE("A relay tree serves nobody by an uplink below the bitrate, stripes do") {
    auto const options = options_of("flash", {"n=20", "uplink=0.95", "source=3"});
    auto const tree = settled(options, seconds{30});
    CHECK(tree->alive().size() - 1 - cut_off(*tree) == 3);
    auto few = options_of("flash", {"n=20", "uplink=0.95", "source=8", "tree=1"});
    CHECK(run(few).within_5 < 0.5);
    few.is_tree = false;
    CHECK(run(few).within_5 > 0.95);
}

TEST_CASE("Who cannot relay gives its place to a newcomer and finds another below it") {
    ModelOptions options;
    options.source_uplink = 1;
    RelayTree tree{options};
    PeerOptions idle;
    idle.uplink = 0.5;
    PeerOptions able;
    able.uplink = 2;
    auto const first = tree.join(idle);
    tree.run_until(MonotonicTime{} + seconds{2});
    REQUIRE(tree.node(first).parent == NodeIndex{0});
    auto const second = tree.join(able);
    tree.run_until(MonotonicTime{} + seconds{20});
    CHECK(tree.node(second).parent == NodeIndex{0});
    CHECK(tree.node(first).parent == second);
    CHECK(tree.preempted() == 1);
}

TEST_CASE("What hung on a relay that goes hangs on others soon, or when its silence is noticed") {
    for (bool const is_silent : {false, true}) {
        CAPTURE(is_silent);
        auto const tree =
            settled(options_of("flash", {"n=100", "uplink=3", "source=3"}), seconds{20});
        REQUIRE(cut_off(*tree) == 0);
        auto const relay = widest(*tree);
        auto const children = tree->node(relay).children.size();
        REQUIRE(children > 1);
        tree->kill(relay, is_silent);
        tree->run_until(tree->now() + seconds{12});
        auto const dead = [&] {
            return std::ranges::any_of(tree->alive(), [&](auto node) {
                auto const parent = tree->node(node).parent;
                return parent && !tree->node(*parent).is_alive;
            });
        };
        CHECK(dead() == is_silent);
        tree->run_until(tree->now() + seconds{40});
        CHECK_FALSE(dead());
        CHECK(cut_off(*tree) == 0);
        CHECK(tree->counts().reattached.size() >= children);
        auto const recent = tree->groups() - 40;
        for (auto const node : tree->alive()) {
            auto const& done = tree->node(node).done;
            if (node > 0) CHECK((done.size() > recent && done[recent] >= 0));
        }
    }
}

TEST_CASE("No path of the relay tree goes in a circle while a third of it leaves") {
    for (std::string_view const seed : {"seed=1", "seed=2"}) {
        CAPTURE(seed);
        auto const options = options_of("mass_failure", {"n=200", "source=3", "silent=0.2", seed});
        auto const tree = settled(options, seconds{29});
        std::size_t circles = 0;
        for (int i = 0; i < 300; ++i) {
            tree->run_until(tree->now() + milliseconds{100});
            for (auto const node : tree->alive())
                circles += is_in_circle(*tree, node) ? 1U : 0U;
        }
        CHECK(circles == 0);
        CHECK(overloaded(*tree) == 0);
    }
}

TEST_CASE("Both models get the same viewers at the same times") {
    auto const options = options_of("churn50", {"n=60", "length=40"});
    SwarmModel swarm{options.model};
    populate(swarm, options);
    swarm.run_until(MonotonicTime{} + seconds{40});
    auto const tree = settled(options, seconds{40});
    REQUIRE(swarm.nodes().size() == tree->nodes().size());
    REQUIRE(swarm.nodes().size() > 63);
    for (std::size_t i = 0; i < swarm.nodes().size(); ++i) {
        auto const& a = swarm.nodes()[i];
        auto const& b = tree->nodes()[i];
        CHECK(a.joined == b.joined);
        CHECK(a.left == b.left);
        CHECK(a.options.uplink == b.options.uplink);
    }
}

TEST_CASE("Lines give viewers their uplink and the two lines of a way its delay") {
    ScenarioOptions options;
    options.peers = 4000;
    REQUIRE(set_option(options, "lines", "1:4:3:0.001,3:0.5:20.5:0"));
    auto const all = visits(options);
    auto const fast = std::ranges::count_if(all, [](auto const& v) { return v.peer.uplink == 4; });
    CHECK(fast == 1000);
    auto const& a = std::ranges::find(all, 4.0, [](auto const& v) { return v.peer.uplink; })->peer;
    auto const& b = std::ranges::find(all, 0.5, [](auto const& v) { return v.peer.uplink; })->peer;
    CHECK(delay(options.model, {1, a}, {2, b}) == std::chrono::microseconds{23'500});
    CHECK(block_loss(4 * 1448, a, b) == Approx(0.004).epsilon(0.01));
    for (std::string_view const bad : {"", "1:2:3", "1:2:3:x", "1:2:3:0,"})
        CHECK_FALSE(set_option(options, "lines", bad));
}

TEST_CASE("A bitrate gives the stripes, and an uplink the slots, that the program has") {
    ScenarioOptions options;
    for (auto const& [key, value] :
         {std::pair{"bitrate", "1000000"}, {"told", "0.97"}, {"entry_time", "2"}})
        REQUIRE(set_option(options, key, value));
    auto const& model = options.model;
    CHECK(model.stripes == 8);
    CHECK(model.parity == 1);
    CHECK(model.entry_groups == 8); // of 250 ms
    CHECK(payload_bytes(model) == Approx(3906.25));
    // 3906 bytes, 158 of headers and three packets' 66; a viewer acknowledges nine blocks a group.
    auto const stripe = 4262.0 * 8 / 0.25;
    auto const told = 0.97 * 0.92 * 1.5e6;
    CHECK(slots(model, 1.5, true) == static_cast<std::size_t>(told / stripe));
    auto const acknowledged = 9.0 * 2 * 66 * 8 / 0.25;
    CHECK(slots(model, 1.5) == static_cast<std::size_t>((told - acknowledged) / stripe));
    CHECK(slots(model, 0) == 0);
}

TEST_CASE("The same seed gives the same tree") {
    auto const a = run(options_of("churn50", {"n=60", "tree=1"}));
    CHECK(to_json(a) == to_json(run(options_of("churn50", {"n=60", "tree=1"}))));
    CHECK(to_json(a) != to_json(run(options_of("churn50", {"n=60", "tree=1", "seed=2"}))));
}
