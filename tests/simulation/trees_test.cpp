#include "simulation/scenario.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <optional>

// What the trees of the stripes look like while they change.

using namespace minuteswarm;
using namespace minuteswarm::simulation;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::unique_ptr<SwarmModel>
settled(std::string_view name, std::size_t peers, seconds time, unsigned seed = 11) {
    auto options = scenario(name);
    REQUIRE(options);
    options->peers = peers;
    options->model.seed = seed;
    auto model = std::make_unique<SwarmModel>(options->model);
    populate(*model, *options);
    model->run_until(MonotonicTime{} + time);
    return model;
}

std::optional<NodeIndex> parent_of(SwarmModel const& model, NodeIndex node, StripeIndex stripe) {
    auto const& one = model.node(node);
    if (node == 0 || !one.is_alive) return std::nullopt;
    auto const parent = one.policy->parents().parent(stripe);
    return parent ? std::optional{static_cast<NodeIndex>(parent->value)} : std::nullopt;
}

/// Whether the parents of a stripe lead to the source.
bool is_rooted(SwarmModel const& model, NodeIndex node, StripeIndex stripe) {
    for (int steps = 0; steps < 40 && node != 0; ++steps) {
        auto const parent = parent_of(model, node, stripe);
        if (!parent) return false;
        node = *parent;
    }
    return node == 0;
}

struct Place {
    std::optional<NodeIndex> parent;
    bool is_rooted = false;
};

std::map<NodeIndex, Place> tree_of(SwarmModel const& model, StripeIndex stripe) {
    std::map<NodeIndex, Place> tree;
    for (auto const node : model.alive())
        tree[node] = {parent_of(model, node, stripe), is_rooted(model, node, stripe)};
    return tree;
}

struct Displacement {
    std::optional<NodeIndex> successor;
    bool is_stranger = false; ///< it was no neighbour of the one that it displaced
};

/// Lets the source take one of its children for one that is no home, so that any home may have its
/// place, until one has it.
Displacement displace(SwarmModel& model, NodeIndex root, StripeIndex stripe) {
    auto& source = *model.node(0).policy;
    StripeAdvert const claim{stripe, true, false, false, 0, 1, 0, milliseconds{0}};
    for (int i = 0; i < 800; ++i) {
        AdvertMessage const advert{{model.groups()}, 20, 5, 0, false, false, false, {claim}};
        source.on_message({root}, advert, model.now());
        auto const links = model.node(root).links;
        model.run_for(milliseconds{25});
        Displacement found;
        bool stays = false;
        for (auto const& child : source.children(stripe)) {
            if (child.leaving_at) continue;
            auto const id = static_cast<NodeIndex>(child.id.value);
            stays = stays || id == root;
            if (id != root) found = {id, !links.contains(id)};
        }
        if (!stays && found.successor) return found;
    }
    return {};
}

/// Viewers with more than K stripes.
std::size_t with_parity(SwarmModel const& model) {
    return static_cast<std::size_t>(std::ranges::count_if(model.alive(), [&](NodeIndex node) {
        return node != 0 && count(model.node(node).policy->flowing()) > 8;
    }));
}

} // namespace

TEST_CASE("A root displaced at the source goes on below its successor, and hardly a block is lost"
) {
    int strangers = 0;
    int displaced = 0; // in a swarm where all are content nobody wants the place
    for (unsigned seed = 1; seed <= 8 && (displaced < 2 || strangers == 0); ++seed) {
        auto const model = settled("flash", 100, seconds{20}, seed);
        StripeIndex const stripe{5};
        auto const root = model->node(0).policy->children(stripe).front().id;
        auto const old_root = static_cast<NodeIndex>(root.value);
        auto const found = displace(*model, old_root, stripe);
        if (!found.successor) continue;
        ++displaced;
        strangers += found.is_stranger ? 1 : 0;
        model->run_for(milliseconds{1500});
        auto above = parent_of(*model, old_root, stripe);
        CAPTURE(seed, *found.successor, found.is_stranger, old_root, above.value_or(9999));
        bool is_below = false;
        for (int steps = 0; above && steps < 20 && !is_below; ++steps) {
            is_below = *above == *found.successor;
            above = parent_of(*model, *above, stripe);
        }
        CHECK(is_below);
        auto const from = model->now() - seconds{3};
        model->run_for(seconds{5});
        CHECK(report(*model, {from, from + seconds{4}}, seconds{1}).within_2 >= 0.999);
    }
    CHECK(displaced >= 2);
    CHECK(strangers > 0);
}

TEST_CASE("Nobody takes a parent that knows that its tree has lost its root, and a new one comes") {
    for (bool const is_silent : {false, true}) {
        int taken = 0;
        int astray = 0;
        for (unsigned const seed : {1U, 2U, 3U, 4U, 5U}) {
            CAPTURE(is_silent, seed);
            auto const model = settled("flash", 60, seconds{20}, seed);
            StripeIndex const stripe{3};
            auto const root = model->node(0).policy->children(stripe).front().id;
            model->reset_counts();
            model->kill(static_cast<NodeIndex>(root.value), is_silent);
            auto const died = model->now();
            std::optional<Duration> without_root;
            std::map<NodeIndex, MonotonicTime> lost;   // its way to the source, since
            std::map<NodeIndex, MonotonicTime> flowed; // as it believed, at last
            auto before = tree_of(*model, stripe);
            while (model->now() - died < seconds{4}) {
                model->run_for(milliseconds{20});
                auto const now = tree_of(*model, stripe);
                for (auto const& [node, place] : now) {
                    if (place.is_rooted)
                        lost.erase(node);
                    else
                        lost.try_emplace(node, model->now());
                    if (has(model->node(node).policy->flowing(), stripe))
                        flowed[node] = model->now();
                }
                for (auto const& [node, place] : now) {
                    if (!place.parent || place.parent == before[node].parent) continue;
                    ++taken;
                    if (place.is_rooted) continue;
                    ++astray;
                    // An answer is 60 ms on its way at most.
                    CHECK(model->now() - flowed[*place.parent] <= milliseconds{80});
                    CHECK(model->now() - lost[*place.parent] < seconds{2});
                }
                auto const roots = model->node(0).policy->children(stripe);
                auto const is_new = [&](Child const& child) { return child.id != root; };
                if (!without_root && std::ranges::any_of(roots, is_new))
                    without_root = model->now() - died;
                before = now;
            }
            REQUIRE(without_root);
            CHECK(*without_root < seconds{2});
            CHECK(model->counts().own_paths == 0);
            CHECK(model->counts().most_hops < 12);
        }
        CAPTURE(is_silent, taken, astray);
        CHECK(taken > 0);
        // A few answers cross the news of the loss. A root that says nothing as it goes is missed
        // when its blocks are: a tenth is told before that, give or take a third of it here.
        CHECK(astray <= taken / (is_silent ? 6 : 30));
    }
}

TEST_CASE("While slots are short, viewers give up parity before anybody drops below K stripes") {
    // What a parent knows of its children is a moment old, and a node with one child gives way as a
    // leaf does: so a few viewers drop below K, none of them for long, and catch up.
    for (unsigned const seed : {1U, 2U, 3U, 4U, 5U}) {
        CAPTURE(seed);
        auto options = scenario("flash");
        REQUIRE(options);
        REQUIRE(set_option(*options, "uplink", "1.5"));
        options->peers = 60;
        options->model.seed = seed;
        SwarmModel model{options->model};
        populate(model, *options);
        model.run_until(MonotonicTime{} + seconds{25});
        REQUIRE(with_parity(model) >= 58);
        // Slots for all of K stripes, but not of K + 1.
        for (int i = 0; i < 10; ++i) {
            PeerOptions without_uplink;
            without_uplink.uplink = 0;
            model.join_at(model.now() + i * milliseconds{300}, without_uplink);
        }
        std::size_t lacking = 0;
        std::size_t most_lacking = 0;
        std::map<NodeIndex, int> in_a_row;
        int longest = 0;
        for (int i = 0; i < 150; ++i) {
            model.run_for(milliseconds{100});
            std::size_t now = 0;
            for (NodeIndex node = 1; node <= 60; ++node) {
                auto const is_lacking = count(model.node(node).policy->flowing()) < 8;
                now += is_lacking ? 1U : 0U;
                in_a_row[node] = is_lacking ? in_a_row[node] + 1 : 0;
                longest = std::max(longest, in_a_row[node]);
            }
            most_lacking = std::max(most_lacking, now);
            lacking += now;
        }
        CHECK(most_lacking <= 8);        // 3.9 on average of forty seeds, 7 at most
        CHECK(longest <= 20);            // two seconds
        CHECK(lacking <= 60 * 150 / 75); // 50 on average
        CHECK(model.slot_use() >= 0.99);
        CHECK(with_parity(model) <= 50);
        for (auto const node : model.alive())
            CHECK(count(model.node(node).policy->flowing()) >= 8);
        auto const window = Window{MonotonicTime{} + seconds{25}, MonotonicTime{} + seconds{38}};
        CHECK(report(model, window, seconds{1}).within_2 >= 0.999);
    }
}
