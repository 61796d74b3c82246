#include "simulation/scenario.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::simulation;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

ScenarioOptions small(std::string_view name, std::initializer_list<std::string_view> changes) {
    auto options = scenario(name);
    REQUIRE(options);
    options->model.seed = 11; // how a swarm of few comes off depends on who comes first
    for (auto const change : changes) {
        auto const equals = change.find('=');
        REQUIRE(set_option(*options, change.substr(0, equals), change.substr(equals + 1)));
    }
    return *options;
}

constexpr std::array<std::string_view, 5> seeds{"seed=1", "seed=2", "seed=3", "seed=4", "seed=5"};

MonotonicTime at_second(double second) {
    return MonotonicTime{} +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second));
}

/// Everybody is there and settled.
std::unique_ptr<SwarmModel> settled(ScenarioOptions const& options, double until) {
    auto model = std::make_unique<SwarmModel>(options.model);
    populate(*model, options);
    model->run_until(at_second(until));
    return model;
}

std::size_t unfed(SwarmModel const& model) {
    std::size_t found = 0;
    for (auto const index : model.alive()) {
        found += count(model.node(index).policy->flowing()) < model.options().stripes ? 1U : 0U;
    }
    return found;
}

/// Groups of these times that a peer rebuilt within the limit, of all.
double share_in_time(SwarmModel const& model, double from, double to, double limit) {
    Window const window{at_second(from), at_second(to)};
    auto const found = report(model, window, seconds{1});
    if (limit <= 1) return found.within_1;
    return limit <= 2 ? found.within_2 : found.within_5;
}

constexpr double coming = 0.5; // of all who come at once

/// What came of the first three seconds of those who came at once. What was so at some moment
/// counts: homes that a few viewers have too many of are given up again, also by roots.
struct FirstSeconds {
    StripeMask rooted_at_home = 0; ///< stripes, in the first two
    std::size_t fed = 0;           ///< viewers that had K stripes
};

FirstSeconds first_seconds(SwarmModel& model) {
    FirstSeconds found;
    std::set<NodeIndex> fed;
    while (model.now() < at_second(coming + 3)) {
        model.run_for(milliseconds{50});
        auto const looked_at = model.now() <= at_second(coming + 2) ? 9 : 0;
        for (StripeIndex s; s.value < looked_at; ++s) {
            auto const roots = model.node(0).policy->children(s);
            if (std::ranges::any_of(roots, [&](auto const& root) {
                    auto const index = static_cast<NodeIndex>(root.id.value);
                    return !root.leaving_at && has(model.node(index).policy->homes(), s);
                }))
                found.rooted_at_home |= mask_of(s);
        }
        for (auto const index : model.alive()) {
            auto const stripes = count(model.node(index).policy->flowing());
            if (index != 0 && stripes >= model.options().stripes) fed.insert(index);
        }
    }
    found.fed = fed.size();
    return found;
}

/// Makes neighbours of all who have just come, and runs until they have homes: whether these are
/// the same.
bool choose_alike(SwarmModel& model) {
    for (auto const a : model.alive()) {
        for (auto const b : model.alive())
            if (a < b) model.connect(a, b, false);
    }
    std::set<StripeMask> homes{0};
    while (homes.contains(0) && model.now() < at_second(coming + 1)) {
        model.run_for(milliseconds{5});
        homes.clear();
        for (auto const index : model.alive())
            if (index != 0) homes.insert(model.node(index).policy->homes());
    }
    return homes.size() == 1;
}

/// Whom a peer sends any stripe.
std::set<NodeIndex> children_of(SwarmModel const& model, NodeIndex peer) {
    std::set<NodeIndex> found;
    for (StripeIndex s; s.value < 9; ++s) {
        for (auto const& child : model.node(peer).policy->children(s))
            found.insert(static_cast<NodeIndex>(child.id.value));
    }
    return found;
}

/// Of a second's groups with these viewers, those rebuilt later than the limit or not at all.
double share_late(
    SwarmModel const& model, std::set<NodeIndex> const& viewers, double second, double limit
) {
    std::size_t late = 0;
    std::size_t all = 0;
    for (std::uint64_t group = 0; group < model.groups(); ++group) {
        auto const time = model.group_time(group);
        if (time < at_second(second) || time >= at_second(second + 1)) continue;
        for (auto const index : viewers) {
            auto const& done = model.node(index).done;
            auto const after = group < done.size() ? double{done[group]} : -1;
            late += after < 0 || after >= limit ? 1U : 0U;
            ++all;
        }
    }
    return all == 0 ? 1 : static_cast<double>(late) / static_cast<double>(all);
}

NodeIndex root_of(SwarmModel const& model, StripeIndex stripe) {
    auto const roots = model.node(0).policy->children(stripe);
    REQUIRE_FALSE(roots.empty());
    return static_cast<NodeIndex>(roots.front().id.value);
}

} // namespace

TEST_CASE("In swarms of few a home roots every stripe in two seconds, and all have K in three") {
    for (std::string_view const peers : {"n=1", "n=2", "n=3", "n=5", "n=10"}) {
        for (std::string_view const seed : seeds) {
            CAPTURE(peers, seed);
            auto const options = small("flash", {peers, "uplink=1.5", "join=0", seed});
            auto const model = settled(options, coming);
            auto const found = first_seconds(*model);
            CHECK(count(found.rooted_at_home) == 9);
            CHECK(found.fed == options.peers);
            model->run_for(seconds{15});
            CHECK(share_in_time(*model, coming + 3, 8, 2) == 1);
        }
    }
}

TEST_CASE("So it is in swarms of few that have all chosen the same homes") {
    int late = 0; // swarms in which somebody lacks a stripe at three seconds
    for (std::string_view const peers : {"n=3", "n=5", "n=10"}) {
        for (std::string_view const seed : seeds) {
            CAPTURE(peers, seed);
            auto options = small("flash", {peers, "uplink=1.5", "join=0", seed});
            options.model.has_equal_homes = true;
            options.model.least_delay = options.model.most_delay = milliseconds{20};
            auto const model = settled(options, coming);
            REQUIRE(choose_alike(*model));
            auto const found = first_seconds(*model);
            CHECK(count(found.rooted_at_home) == 9);
            late += found.fed == options.peers ? 0 : 1;
            model->run_for(seconds{15});
            CHECK(share_in_time(*model, coming + 3, 8, 2) == 1);
        }
    }
    CHECK(late <= 1); // 3 of 120
}

TEST_CASE("A flash crowd joins, hears the groups in time and settles") {
    for (std::string_view const peers : {"n=10", "n=30", "n=100"}) {
        CAPTURE(peers);
        auto const result = run(small("flash", {peers}));
        CHECK(result.joined == 1);
        CHECK(result.within_5 >= 0.999);
        CHECK(result.p50 < 1);
        CHECK(result.preemptions < 0.05);
        CHECK(result.source_upload <= 1.5);
        CHECK(result.source_queue < 1.2 * 0.25);
        CHECK(result.duplicates < 0.1);
        CHECK(result.control < 0.05 * 500'000);
        CHECK(result.stepped_back == 0);
    }
}

TEST_CASE("Every number of stripes and parity stripes works") {
    for (std::string_view const stripes : {"k=2", "k=4", "k=16"}) {
        for (std::string_view const parity : {"m=0", "m=2", "m=4"}) {
            CAPTURE(stripes, parity);
            auto const result =
                run(small("flash", {"n=20", "uplink=4", "source=4", "length=25", stripes, parity}));
            CHECK(result.joined == 1);
            CHECK(result.within_5 >= 0.999);
        }
    }
}

TEST_CASE("A source with little more than one copy to give gives no second one") {
    for (std::string_view const source : {"source=1.1", "source=1.25"}) {
        CAPTURE(source);
        // Not at once: what nobody has yet of a run's beginning is no second copy.
        auto const result = run(small("source125", {source, "n=60", "from=8", "length=40"}));
        CHECK(result.source_queue < 1.2 * 0.25);
        CHECK(result.source_answers == 0);
        CHECK(result.within_5 >= 0.999);
    }
}

TEST_CASE("Hardly anybody takes a place of another for long, up to nine tenths of all uplinks") {
    for (std::string_view const use : {"use=0.7", "use=0.9"}) {
        for (std::string_view const seed : seeds) {
            CAPTURE(use, seed);
            auto const result = run(small("use90", {"n=100", "length=45", use, seed}));
            CHECK(result.preemptions < 0.05);
            CHECK(result.within_5 >= 0.998);
        }
    }
}

TEST_CASE("Churn is hardly noticed") {
    CHECK(run(small("churn10", {"n=100", "length=50"})).within_5 >= 0.999);
    auto const result = run(small("churn50", {"n=100", "length=50"}));
    CHECK(result.within_5 >= 0.995);
    CHECK(result.within_2 >= 0.98);
}

TEST_CASE("When thirty of a hundred leave at once the others go on") {
    auto const clean = run(small("mass_failure_clean", {"n=100", "length=55"}));
    CHECK(clean.within_5 >= 0.999);
    auto const model = settled(small("mass_failure", {"n=100", "length=55"}), 55);
    CHECK(share_in_time(*model, 36, 45, 2) >= 0.999);
    CHECK(unfed(*model) == 0);
}

TEST_CASE("What went to roots that had fallen silent comes to everybody all the same") {
    std::vector<double> in_time;
    for (std::string_view const seed : seeds) {
        auto const model = settled(small("flash", {"n=300", seed}), 20);
        // Nobody can rebuild a group until the source has sent it to others.
        for (StripeIndex s; s.value < 4; ++s)
            model->kill(root_of(*model, s), true);
        model->run_for(seconds{15});
        in_time.push_back(share_in_time(*model, 19, 30, 5));
        CHECK(in_time.back() >= 0.93);
    }
    CHECK(quantile(in_time, 0.5) >= 0.99);
}

TEST_CASE("When thirty of a hundred leave in silence the others get nearly all in time") {
    std::vector<double> in_time;
    for (std::string_view const seed : seeds)
        in_time.push_back(run(small("mass_failure_silent", {"n=100", "length=55", seed})).within_5);
    CHECK(std::ranges::min(in_time) >= 0.95);
    CHECK(quantile(in_time, 0.5) >= 0.995);
}

TEST_CASE("When a stripe's root dies a new one takes over and no path goes in circles") {
    for (bool const is_silent : {false, true}) {
        CAPTURE(is_silent);
        auto const model = settled(small("flash", {"n=60"}), 20);
        StripeIndex const stripe{3};
        auto const root = root_of(*model, stripe);
        model->reset_counts();
        model->kill(root, is_silent);
        model->run_for(milliseconds{2000});
        auto const next = root_of(*model, stripe);
        CHECK(next != root);
        CHECK(model->node(next).is_alive);
        // Leaves that have K other stripes take their time.
        std::size_t lacking = model->alive().size();
        for (int i = 0; i < 32 && lacking > 3; ++i) {
            model->run_for(milliseconds{250});
            lacking = 0;
            for (auto const index : model->alive())
                lacking += has(model->node(index).policy->flowing(), stripe) ? 0U : 1U;
        }
        CHECK(lacking <= 3);
        CHECK(model->counts().most_hops < 12);
        CHECK(model->counts().own_paths == 0);
        // Parity covers the one stripe that is missing.
        model->run_for(seconds{15});
        CHECK(share_in_time(*model, 20, 26, 5) >= 0.999);
    }
}

TEST_CASE("Hardly a block comes back to one that it went through, and nobody keeps sending such") {
    auto const model = settled(small("flash", {"n=40"}), 15);
    model->reset_counts();
    model->run_for(seconds{20});
    // Such a block comes in races only, and nobody keeps a parent that sent one.
    CHECK(model->counts().own_paths <= 2);
}

TEST_CASE("A displaced root becomes a child of the one that took its place") {
    std::mt19937_64 random{1};
    SubscriptionOptions options;
    options.self = {2};
    options.source = {1};
    options.slots = 10;
    MonotonicTime now{seconds{10}};
    Subscriptions victim{options, random, now};
    victim.enter({1}, {{1}, milliseconds{10}, true, false}, now);
    AdvertMessage advert{{5}, 10, 5, 0, false, false, false, {}};
    for (std::uint8_t s = 0; s < 9; ++s)
        advert.stripes.push_back({{s}, true, true, false, 0, 0, 0, milliseconds{0}});
    victim.on_message({1}, advert, now);
    std::optional<StripeIndex> stripe;
    for (int i = 0; i < 60 && !stripe; ++i) {
        now += milliseconds{50};
        victim.tick(now);
        for (auto const& action : victim.take_actions()) {
            auto const* send = std::get_if<SendSubscription>(&action);
            auto const* asks = send ? std::get_if<SubscribeMessage>(&send->message) : nullptr;
            if (asks) stripe = asks->stripe;
        }
    }
    REQUIRE(stripe);
    NodePath path;
    path.append({1});
    victim.on_message({1}, AcceptMessage{*stripe, path, {}}, now);
    REQUIRE(victim.is_parent({1}, *stripe));
    victim.on_message({1}, PreemptMessage{*stripe, {7}, {}, 0}, now);
    bool has_looked = false;
    for (auto const& action : victim.take_actions()) {
        auto const* link = std::get_if<OpenLink>(&action);
        has_looked = has_looked || (link && link->successor.successor == NodeId{7});
    }
    CHECK(has_looked);
    victim.enter({7}, {{7}, milliseconds{10}, false, true}, now);
    bool has_asked = false;
    for (auto const& action : victim.take_actions()) {
        auto const* send = std::get_if<SendSubscription>(&action);
        auto const* asks = send ? std::get_if<SubscribeMessage>(&send->message) : nullptr;
        has_asked = has_asked || (asks && send->to.value == 7 && asks->is_adopt);
    }
    CHECK(has_asked);
}

TEST_CASE("A peer with half the uplink it believes in gives slots back within two seconds") {
    // Two fifths and a half of what it believes in.
    for (auto const uplink : {0.6, 0.75}) {
        std::vector<double> in_time;
        std::vector<double> late;
        for (std::string_view const seed : seeds) {
            CAPTURE(uplink, seed);
            auto const model = settled(small("flash", {"n=60", "uplink=1.5", seed}), 25);
            auto const used = [&](NodeIndex index) {
                return index == 0 ? 0 : model->node(index).policy->used_slots();
            };
            auto const busiest = *std::ranges::max_element(model->alive(), {}, used);
            auto const fed = children_of(*model, busiest);
            auto const before = model->node(busiest).policy->slots();
            model->throttle(busiest, uplink);
            model->run_for(seconds{2});
            CHECK(model->node(busiest).policy->slots() < before);
            model->run_for(seconds{15});
            in_time.push_back(share_in_time(*model, 30, 40, 1));
            late.push_back(share_late(*model, fed, 30, 1));
            CHECK(in_time.back() >= 0.98);
            // One slot too many is noticed when a second of blocks waits, which takes its time.
            CHECK(late.back() <= 0.15);
            CHECK(share_late(*model, fed, 34, 1) == 0);
        }
        CHECK(quantile(in_time, 0.5) >= 0.999);
        CHECK(quantile(late, 0.5) == 0);
    }
}

TEST_CASE("Parity goes first: beyond capacity few lack K stripes for long") {
    std::vector<double> lacking;
    for (std::string_view const seed : seeds) {
        auto const model = settled(small("demand105", {"n=100", seed}), 60);
        auto const found = report(*model, {at_second(35), at_second(50)}, seconds{1});
        CHECK(found.within_5 >= 0.99);
        CHECK(found.stepped_back < 0.1);
        std::size_t together = 0;
        for (int i = 0; i < 100; ++i) {
            model->run_for(milliseconds{100});
            together += unfed(*model); // who steps back counts until it does
        }
        lacking.push_back(static_cast<double>(together) / 10'000);
    }
    CHECK(quantile(lacking, 0.5) <= 0.05);
    CHECK(std::ranges::max(lacking) <= 0.13); // 0.12 is the worst of 24 seeds, 0.02 the mean
}

TEST_CASE("Far beyond capacity some step back and the others are fed") {
    std::vector<double> in_time;
    for (std::string_view const seed : seeds) {
        auto const result = run(small("demand125", {"n=100", "length=100", seed}));
        in_time.push_back(result.within_5);
        CHECK(result.stepped_back > 0.05);
        CHECK(result.stepped_back < 0.4);
    }
    CHECK(std::ranges::min(in_time) >= 0.94);
    CHECK(quantile(in_time, 0.5) >= 0.97);
}

TEST_CASE("Peers without uplink and peers that forward nothing do not stop the others") {
    auto const idle = run(small("free_riders", {"n=100", "length=45"}));
    CHECK(idle.within_5 >= 0.999);
    std::vector<double> in_time;
    for (std::string_view const seed : seeds)
        in_time.push_back(run(small("black_holes", {"n=100", "length=45", seed})).within_5);
    // With one seed two stripes get one such root after the other: 25 s until both have others.
    CHECK(std::ranges::min(in_time) >= 0.4);
    CHECK(quantile(in_time, 0.25) >= 0.998);
}

TEST_CASE("A fifth of peers that overrate their uplink by two are found out") {
    auto const result = run(small("half_capacity", {"n=100", "length=45"}));
    CHECK(result.within_5 >= 0.999);
}

TEST_CASE("Live blocks are hardly later while a node catches up") {
    auto const model = settled(small("flash", {"n=60", "uplink=1.5"}), 20);
    auto const before = share_in_time(*model, 12, 16, 1);
    // Three seconds' outage of a fifth: they come back as newcomers would.
    for (NodeIndex index = 1; index <= 12; ++index)
        model->kill(index, false);
    model->run_for(seconds{3});
    for (int i = 0; i < 12; ++i)
        model->join({});
    model->run_for(seconds{20});
    CHECK(share_in_time(*model, 24, 32, 1) >= before - 0.02);
}

TEST_CASE("The age in a block's header is its age, without a common clock") {
    auto const model = settled(small("flash", {"n=60"}), 15);
    model->reset_counts();
    model->run_for(seconds{5});
    CHECK(model->counts().worst_age_error < milliseconds{50});
}

TEST_CASE("Radio works with two stripes of long groups") {
    std::vector<double> shares; // of 24 seeds six have less than 99.9 %, one 98.7
    for (auto const seed : seeds) {
        auto const two = run(small("radio", {"n=60", "length=45", seed}));
        CHECK(two.joined == 1);
        CHECK(two.within_5 >= 0.95);
        shares.push_back(two.within_5);
    }
    std::ranges::nth_element(shares, shares.begin() + 2);
    CHECK(shares[2] >= 0.999);
    auto const four = run(small("radio4", {"n=60", "length=45"}));
    CHECK(four.within_5 >= 0.999);
    CHECK(four.control_packets < 0.05 * 16'000 * 1.5);
}

TEST_CASE("The same seed gives the same run") {
    auto const a = run(small("flash", {"n=30", "length=20"}));
    auto const b = run(small("flash", {"n=30", "length=20"}));
    CHECK(to_json(a) == to_json(b));
    CHECK(to_json(a) != to_json(run(small("flash", {"n=30", "length=20", "seed=12"}))));
}
