#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Neighbours of the source take all of its slots.
void take_slots(Node& source) {
    for (std::uint64_t id = 2; id < 47; ++id) {
        if (source.policy().used_slots() == source.policy().slots()) break;
        source.enter(id, {static_cast<std::uint32_t>(id)});
        for (std::uint8_t s = 0; s < 9; ++s)
            source.hear(id, home_of(s));
    }
    source.wait(milliseconds{50}); // what is too much, for a stripe without a child, is let go
    REQUIRE(source.policy().used_slots() == source.policy().slots());
}

void wait_with_children(Node& source, int seconds) {
    for (int i = 0; i < 2 * seconds; ++i) {
        source.wait(milliseconds{500});
        for (std::uint64_t id = 2; id < 47; ++id)
            source.hear(id, advert_of(9, 0));
    }
}

/// A full relay: its children of stripe 0 say whether they have K others; blocks go on.
class FullRelay {
public:
    FullRelay()
        : relay_{{2}, 4} {
        feed(relay_);
        for (std::uint64_t id = 10; id < 14; ++id) {
            REQUIRE(accepts(id, id < 12));
            pass(milliseconds{250});
        }
        pass(seconds{2});
    }
    bool accepts(std::uint64_t id, bool is_needy, std::uint8_t stripe = 0) {
        auto request = subscribe(stripe);
        request.is_needy = is_needy;
        relay_.enter(id, {static_cast<std::uint32_t>(id)});
        relay_.forget();
        relay_.hear(id, request);
        return !relay_.sent<AcceptMessage>(id).empty();
    }
    std::vector<PreemptMessage> preempted(std::uint64_t id) {
        return relay_.sent<PreemptMessage>(id);
    }
    void hear(std::uint64_t id, std::uint8_t stripes) { relay_.hear(id, advert_of(stripes, 0)); }
    void pass(milliseconds time) {
        for (auto const end = relay_.now() + time; relay_.now() < end;) {
            ++group_;
            for (StripeIndex s; s.value < 9; ++s)
                relay_.block(1, s, group_, path_of({1}));
            relay_.hear(1, advert_of(9, 0));
            relay_.wait(milliseconds{250});
        }
    }
    /// Of those with a slot.
    [[nodiscard]] std::set<std::uint64_t> children() {
        std::set<std::uint64_t> found;
        for (auto const& child : relay_.policy().children({0}))
            if (!child.leaving_at) found.insert(child.id.value);
        return found;
    }
    Node& node() { return relay_; }

private:
    Node relay_;
    std::uint64_t group_ = 200;
};

} // namespace

TEST_CASE("Who has K other stripes gives its slot to one who has not, and nobody else does") {
    FullRelay relay;
    CHECK_FALSE(relay.accepts(20, false)); // it has enough as well
    CHECK(relay.accepts(21, true));
    CHECK(relay.children() == std::set<std::uint64_t>{10, 11, 12, 21}); // the newest one goes
    CHECK(relay.accepts(22, true));
    CHECK(relay.children() == std::set<std::uint64_t>{10, 11, 21, 22});
    relay.pass(seconds{2});
    CHECK_FALSE(relay.accepts(23, true)); // nobody has more than it needs
    relay.hear(11, 9);                    // now one has
    CHECK(relay.accepts(23, true));
    CHECK(relay.children() == std::set<std::uint64_t>{10, 21, 22, 23});
}

TEST_CASE("Whoever loses its place is told who has it, unless that one wanted another stripe") {
    for (std::uint8_t const stripe : {std::uint8_t{0}, std::uint8_t{1}}) {
        CAPTURE(stripe);
        FullRelay relay;
        for (std::uint64_t id = 10; id < 14; ++id)
            relay.hear(id, id < 12 ? 7 : 9);
        REQUIRE(relay.accepts(20, true, stripe));
        std::vector<NodeId> successors;
        for (std::uint64_t id = 10; id < 14; ++id) {
            for (auto const& preempt : relay.preempted(id))
                successors.push_back(preempt.successor);
        }
        CHECK(successors == std::vector{stripe == 0 ? NodeId{20} : NodeId{}});
    }
}

TEST_CASE("A node that gives slots back takes them from those who have K other stripes first") {
    FullRelay relay;
    relay.node().policy().set_slots(3);
    relay.pass(milliseconds{250});
    CHECK(relay.children() == std::set<std::uint64_t>{10, 11, 12});
    relay.node().policy().set_slots(2);
    relay.pass(milliseconds{250});
    CHECK(relay.children() == std::set<std::uint64_t>{10, 11});
}

TEST_CASE("A node that lags behind gives slots back within a second") {
    Node source{source_id, 18};
    for (std::uint64_t id = 2; id < 20; ++id) {
        source.enter(id, {static_cast<std::uint32_t>(id)});
        source.hear(id, home_of(static_cast<std::uint8_t>(id % 9)));
    }
    REQUIRE(source.policy().used_slots() == 18);
    source.policy().on_uplink(milliseconds{1200});
    source.wait(milliseconds{500});
    CHECK(source.policy().slots() < 18);
    CHECK(source.policy().used_slots() <= source.policy().slots());
}

TEST_CASE("After an outage a node that lags behind lets children go, and keeps its slots") {
    FullRelay relay;
    relay.node().wait(milliseconds{1750}); // nothing comes
    relay.node().policy().on_uplink(milliseconds{1200});
    relay.pass(milliseconds{750});
    CHECK(relay.children().size() < 4);
    CHECK(relay.node().policy().slots() == 4);
    CHECK_FALSE(relay.accepts(30, true));
    relay.node().policy().on_uplink({});
    relay.pass(seconds{1});
    CHECK(relay.accepts(31, true));
}

TEST_CASE("What a relay has missed overtakes new blocks of others now and then, not at each word") {
    Node parent{{2}, 20};
    feed(parent);
    parent.enter(10, {10});
    StripeIndex const stripe{
        static_cast<std::uint8_t>(std::countr_zero(parent.policy().flowing()))};
    auto request = subscribe(stripe.value);
    request.is_relay = true;
    std::vector<bool> urgent;
    for (int i = 0; i < 4; ++i) {
        parent.forget();
        parent.hear(10, request);
        for (auto const& push : parent.take<StartPush>())
            urgent.push_back(parent.policy().is_urgent(push, milliseconds{500}));
        parent.hear(10, UnsubscribeMessage{stripe});
        parent.wait(milliseconds{200});
    }
    CHECK(urgent == std::vector{true, false, false, false});
}

TEST_CASE("An outage is made up for until nothing waits, and for eight seconds at most") {
    FullRelay relay;
    auto& policy = relay.node().policy();
    StartPush const asked{{10}, {0}, {300}, 0};
    CHECK_FALSE(policy.is_making_up());
    CHECK_FALSE(policy.is_urgent(asked, seconds{5}));
    relay.node().wait(milliseconds{1750});
    policy.on_uplink(milliseconds{1200});
    relay.pass(milliseconds{500});
    CHECK(policy.is_making_up());
    CHECK(policy.is_urgent(asked, seconds{5}));
    CHECK_FALSE(policy.is_urgent(asked, seconds{20})); // that is due nowhere
    SECTION("nothing waits") {
        policy.on_uplink({});
        relay.pass(milliseconds{750});
    }
    SECTION("it has taken its time") {
        relay.pass(seconds{7});
        CHECK(policy.is_making_up());
        relay.pass(milliseconds{1250});
    }
    CHECK_FALSE(policy.is_making_up());
    CHECK_FALSE(policy.is_urgent(asked, seconds{5}));
}

TEST_CASE(
    "Slots given up stay so when the stream's bitrate changes, and are tried again ever more seldom"
) {
    Node source{source_id, 18};
    source.policy().on_uplink(milliseconds{1200});
    source.wait(milliseconds{150});
    REQUIRE(source.policy().slots() == 17);
    source.policy().set_slots(20);
    CHECK(source.policy().slots() == 17);
    auto const seconds_to_grow = [&] {
        source.policy().on_uplink({});
        auto const before = source.policy().slots();
        int passed = 0;
        for (; source.policy().slots() == before && passed < 100; ++passed)
            source.wait(seconds{1});
        return passed;
    };
    CHECK(seconds_to_grow() == 16);
    for (int const longer : {31, 61}) { // that one was too many
        source.policy().on_uplink(milliseconds{1200});
        source.wait(milliseconds{150});
        CHECK(seconds_to_grow() == longer);
    }
    CHECK(seconds_to_grow() <= 61); // it held
    CHECK(seconds_to_grow() <= 31);
    source.policy().set_slots(10);
    CHECK(source.policy().slots() == 10);
    source.policy().set_slots(12); // none is given up now
    CHECK(source.policy().slots() == 12);
}

TEST_CASE(
    "An uplink that is not known is measured: more slots while all are taken and nothing waits"
) {
    Node known{source_id, 18};
    take_slots(known);
    wait_with_children(known, 60);
    CHECK(known.policy().slots() == 18);

    Node source{source_id, 18, 8, 1, {}, false};
    source.wait(seconds{60});
    CHECK(source.policy().slots() == 18); // nobody has needed them
    take_slots(source);
    wait_with_children(source, 10);
    CHECK(source.policy().slots() == 18);
    wait_with_children(source, 6);
    CHECK(source.policy().slots() == 19);
    take_slots(source);
    source.policy().on_uplink(milliseconds{1200});
    source.wait(milliseconds{150});
    CHECK(source.policy().slots() == 18);
    source.policy().on_uplink({});
    for (int i = 0; i < 30; ++i) {
        take_slots(source);
        wait_with_children(source, 31);
    }
    CHECK(source.policy().slots() == 36);
}

TEST_CASE("Of what one has beyond its share of the source's slots another gets up to its share") {
    for (bool const is_relay : {false, true}) {
        CAPTURE(is_relay);
        Node source{{1}, 9};
        source.enter(2, {2});
        auto held = advert_of(9, 0);
        for (auto& stripe : held.stripes)
            stripe.is_relay = is_relay;
        for (std::uint8_t s = 0; s < 9; ++s)
            source.hear(2, subscribe(s));
        REQUIRE(source.sent<AcceptMessage>(2).size() == 9);
        source.enter(3, {3});
        auto waiting = advert_of(9, 0); // has no stripe
        for (auto& stripe : waiting.stripes)
            stripe.is_flowing = false;
        waiting.is_searching = true;
        waiting.is_stepped_back = true; // on trial, as it brings less than it takes
        for (int i = 0; i < 25; ++i) {  // long enough to be believed
            source.hear(2, held);
            source.hear(3, waiting);
            source.wait(milliseconds{200});
        }
        for (std::uint8_t s = 0; s < 9; ++s)
            source.hear(3, subscribe(s));
        CHECK(source.sent<AcceptMessage>(3).size() == (is_relay ? 0 : 3));
        if (!is_relay) continue;
        for (std::uint8_t s = 0; s < 9; ++s)
            source.hear(3, home_of(s)); // who passes it on may have it
        CHECK(source.sent<AcceptMessage>(3).size() == 3);
    }
}

TEST_CASE("No stripe loses its last root to a request for another one") {
    Node source{{1}, 10};
    for (std::uint64_t id = 2; id < 6; ++id)
        source.enter(id, {static_cast<std::uint32_t>(id)});
    for (std::uint8_t s = 0; s < 9; ++s)
        source.hear(2, subscribe(s));
    source.hear(3, subscribe(0)); // a second child
    REQUIRE(source.policy().used_slots() == 10);
    source.wait(milliseconds{400});
    // One child of the first stripe may go; it is still sent blocks when the next one comes.
    for (std::uint8_t const s : {std::uint8_t{1}, std::uint8_t{2}})
        source.hear(3U + s, home_of(s));
    std::size_t preempted = 0;
    for (std::uint64_t id = 2; id < 6; ++id) {
        auto const told = source.sent<PreemptMessage>(id);
        preempted += static_cast<std::size_t>(
            std::ranges::count(told, StripeIndex{0}, &PreemptMessage::stripe)
        );
    }
    CHECK(preempted == 1);
}
