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

} // namespace

TEST_CASE("A root displaced at the source goes on below its successor, and hardly a block is lost"
) {
    auto const model = settled("flash", 40, seconds{20});
    auto& source = *model->node(0).policy;
    StripeIndex const stripe{5};
    auto const old_root = static_cast<NodeIndex>(source.children(stripe).front().id.value);
    // From here on the source takes it for one that is no home: any home may have its place.
    StripeAdvert const claim{stripe, true, false, false, 0, 1, 0, milliseconds{0}};
    std::optional<NodeIndex> successor;
    for (int i = 0; i < 800 && !successor; ++i) {
        AdvertMessage advert{{model->groups()}, 20, 5, 0, false, false, false, {claim}};
        source.on_message({old_root}, advert, model->now());
        model->run_for(milliseconds{25});
        for (auto const& child : source.children(stripe)) {
            if (child.id.value != old_root && !child.leaving_at)
                successor = static_cast<NodeIndex>(child.id.value);
        }
        auto const stays = std::ranges::any_of(source.children(stripe), [&](auto const& child) {
            return child.id.value == old_root && !child.leaving_at;
        });
        if (stays) successor.reset();
    }
    REQUIRE(successor);
    model->run_for(milliseconds{1500});
    auto above = parent_of(*model, old_root, stripe);
    CAPTURE(*successor, old_root, above.value_or(9999));
    bool is_below = false;
    for (int steps = 0; above && steps < 20 && !is_below; ++steps) {
        is_below = *above == *successor;
        above = parent_of(*model, *above, stripe);
    }
    CHECK(is_below);
    auto const from = model->now() - seconds{3};
    model->run_for(seconds{5});
    auto const found = report(*model, {from, from + seconds{4}}, seconds{1});
    CHECK(found.within_2 >= 0.999);
}

TEST_CASE("Hardly anybody takes a parent in a tree that has lost its root") {
    for (bool const is_silent : {false, true}) {
        CAPTURE(is_silent);
        int taken = 0;
        int astray = 0;
        for (unsigned const seed : {1U, 2U, 3U, 4U, 5U}) {
            auto const model = settled("flash", 60, seconds{20}, seed);
            StripeIndex const stripe{3};
            auto const root = model->node(0).policy->children(stripe).front().id.value;
            model->kill(static_cast<NodeIndex>(root), is_silent);
            auto before = tree_of(*model, stripe);
            for (int i = 0; i < 80; ++i) {
                model->run_for(milliseconds{50});
                auto const now = tree_of(*model, stripe);
                for (auto const& [node, place] : now) {
                    if (!place.parent || place.parent == before[node].parent) continue;
                    ++taken;
                    astray += before[*place.parent].is_rooted ? 0 : 1;
                }
                before = now;
            }
        }
        CAPTURE(taken, astray);
        CHECK(taken > 0);
        // Those below a silent root hear of it half a second later.
        CHECK(astray <= taken / 10);
    }
}

TEST_CASE("While slots are short, viewers give up parity before anybody drops below K stripes") {
    auto const model = settled("demand105", 100, seconds{60});
    std::size_t lacking = 0;
    std::size_t looked = 0;
    std::size_t without_parity = 0;
    for (int i = 0; i < 40; ++i) {
        model->run_for(milliseconds{500});
        for (auto const node : model->alive()) {
            if (node == 0) continue;
            auto const flowing = count(model->node(node).policy->flowing());
            ++looked;
            lacking += flowing < 8 ? 1U : 0U;
            without_parity += flowing == 8 ? 1U : 0U;
        }
    }
    CAPTURE(looked, lacking, without_parity);
    CHECK(without_parity > looked / 10);
    CHECK(lacking < without_parity / 4);
}
