#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t usual = 3;  // neighbour that sends all stripes but one
constexpr std::uint64_t parent = 4; // of that one
constexpr std::uint64_t other = 5;  // has it as well
constexpr std::uint64_t child = 6;  // gets it
constexpr StripeIndex stripe{0};

/// A node whose stripes come from two neighbours, a group each 250 ms.
struct Fed {
    explicit Fed(bool is_leaf = false)
        : node({2}, is_leaf ? 0 : 10) {
        node.enter(usual, {3});
        node.enter(parent, {4});
        pass_groups(12);
        REQUIRE(node.policy().flowing() == 0x1ff);
        REQUIRE(feeds(parent));
        node.forget();
        if (is_leaf) return;
        node.enter(child, {6});
        node.hear(child, subscribe(stripe.value)); // who would miss it
        REQUIRE(node.sent<AcceptMessage>(child).size() == 1);
        node.forget();
    }
    /// Of some stripes, as one says that is up to date.
    [[nodiscard]] AdvertMessage claim(StripeMask stripes, std::uint8_t behind = 0) const {
        auto advert = advert_of(9, 0);
        advert.newest = {group};
        for (auto& one : advert.stripes) {
            one.is_flowing = has(stripes, one.stripe);
            one.behind = behind;
        }
        return advert;
    }
    void pass_groups(int number) {
        for (int i = 0; i < number; ++i) {
            ++group;
            for (StripeIndex s; s.value < 9; ++s) {
                if (s.value >= lacking) node.block(usual, s, group, path_of({1, 3}));
            }
            if (parent_sends) node.block(parent, stripe, group, path_of({1, 4}), parent_age);
            if (usual_rebuilds) node.policy().on_rebuilt({group}, node.now());
            node.hear(usual, claim(0x1fe));
            if (parent_lives) node.hear(parent, claim(mask_of(stripe)));
            for (int step = 0; step < 5; ++step) {
                node.wait(milliseconds{50});
                accept(usual, path_of({1, 3}));
                accept(parent, path_of({1, 4}));
            }
        }
    }
    void accept(std::uint64_t who, NodePath const& path) {
        for (auto const& asked : node.sent<SubscribeMessage>(who)) {
            auto const has_it = node.policy().parents().parent(asked.stripe) == NeighbourId{who};
            if (!has_it && node.policy().is_parent({who}, asked.stripe))
                node.hear(who, AcceptMessage{asked.stripe, path, {}});
        }
    }
    [[nodiscard]] bool feeds(std::uint64_t who) {
        return node.policy().parents().parent(stripe) == NeighbourId{who};
    }
    [[nodiscard]] std::vector<SubscribeMessage> asked_other() {
        return node.sent<SubscribeMessage>(other);
    }

    Node node;
    std::uint64_t group = 100;
    milliseconds parent_age{100};
    bool parent_sends = true;
    bool parent_lives = true;
    bool usual_rebuilds = true;
    std::uint8_t lacking = 1; ///< stripes that `usual` does not send
};

} // namespace

TEST_CASE("A parent that lives and sends nothing is kept while another one is looked for") {
    Fed fed;
    fed.parent_sends = false;
    fed.pass_groups(8); // two seconds
    CHECK(fed.feeds(parent));
    CHECK(fed.node.sent<UnsubscribeMessage>(parent).empty());
    fed.node.enter(other, {5});
    fed.node.hear(other, fed.claim(mask_of(stripe)));
    fed.pass_groups(1);
    REQUIRE_FALSE(fed.asked_other().empty());
    fed.node.hear(other, AcceptMessage{stripe, path_of({1, 5}), {}});
    CHECK(fed.feeds(other));
}

TEST_CASE("After an outage a parent that is behind is kept until it has brought the rest") {
    Fed fed;
    fed.usual_rebuilds = false;
    bool const had_outage = GENERATE(true, false);
    CAPTURE(had_outage);
    if (had_outage) fed.node.wait(seconds{2});
    auto const last_of_parent = fed.group;
    fed.parent_sends = false;
    fed.pass_groups(8);
    fed.node.enter(other, {5});
    fed.node.hear(other, fed.claim(mask_of(stripe)));
    fed.pass_groups(1);
    REQUIRE_FALSE(fed.asked_other().empty());
    fed.node.hear(other, AcceptMessage{stripe, path_of({1, 5}), {}});
    REQUIRE(fed.feeds(other));

    auto const first_of_other = fed.group + 1;
    auto const is_left = [&] { return !fed.node.sent<UnsubscribeMessage>(parent).empty(); };
    auto next = first_of_other;
    fed.node.block(parent, stripe, last_of_parent + 1, path_of({1, 4}));
    fed.node.block(other, stripe, next++, path_of({1, 5}));
    for (auto group = last_of_parent + 2; group + 1 < first_of_other; ++group) {
        fed.node.wait(milliseconds{150});
        fed.node.block(parent, stripe, group, path_of({1, 4}));
        fed.node.block(other, stripe, next++, path_of({1, 5}));
    }
    CHECK(is_left() == !had_outage);
    CHECK(fed.node.policy().is_parent({parent}, stripe) == had_outage);
    fed.node.block(parent, stripe, first_of_other - 1, path_of({1, 4}));
    fed.node.wait(milliseconds{50});
    CHECK(is_left());
}

TEST_CASE("A parent that lives and sends nothing for four seconds is left") {
    Fed fed;
    fed.parent_sends = false;
    fed.pass_groups(20);
    CHECK_FALSE(fed.feeds(parent));
    CHECK(fed.node.sent<UnsubscribeMessage>(parent).size() == 1);
}

TEST_CASE("A leaf that can do without a stripe asks nobody, and takes nobody for dead") {
    Fed leaf{true};
    leaf.parent_sends = leaf.parent_lives = false; // it speaks once a second at most
    leaf.pass_groups(6);
    CHECK(leaf.feeds(parent));
    CHECK(leaf.node.sent<UnsubscribeMessage>(parent).empty());
    CHECK(leaf.node.sent<SubscribeMessage>(usual).empty());
}

TEST_CASE("A leaf that lacks a second stripe as well finds out who is dead") {
    Fed leaf{true};
    leaf.parent_sends = leaf.parent_lives = false;
    leaf.lacking = 2;
    leaf.pass_groups(8);
    CHECK_FALSE(leaf.feeds(parent));
}

TEST_CASE("Who was not asked before is given the time to answer") {
    Fed leaf{true};
    leaf.parent_sends = leaf.parent_lives = false;
    leaf.pass_groups(5);
    leaf.lacking = 2;
    leaf.pass_groups(3); // it has just begun to ask
    CHECK(leaf.feeds(parent));
    leaf.parent_lives = true;
    leaf.pass_groups(2);
    CHECK(leaf.feeds(parent));
}

TEST_CASE("A parent that sends again is no longer to be replaced") {
    Fed fed;
    fed.parent_sends = false;
    fed.pass_groups(8);
    fed.parent_sends = true;
    fed.pass_groups(2);
    fed.node.forget();
    fed.node.enter(other, {5});
    fed.node.hear(other, fed.claim(mask_of(stripe)));
    fed.pass_groups(1);
    CHECK(fed.asked_other().empty());
    CHECK(fed.feeds(parent));
}

TEST_CASE("When the new parent brings nothing either, the one before is still to be replaced") {
    Fed fed;
    fed.parent_sends = false;
    fed.pass_groups(8);
    fed.node.enter(other, {5});
    fed.node.hear(other, fed.claim(mask_of(stripe)));
    fed.pass_groups(1);
    fed.node.hear(other, AcceptMessage{stripe, path_of({1, 5}), {}});
    REQUIRE(fed.feeds(other));
    fed.pass_groups(5); // the other one sends nothing
    REQUIRE_FALSE(fed.feeds(other));
    CHECK_FALSE(has(fed.node.policy().flowing(), stripe));
    fed.node.forget();
    constexpr std::uint64_t third = 7;
    fed.node.enter(third, {7});
    fed.node.hear(third, fed.claim(mask_of(stripe)));
    fed.node.wait(milliseconds{100});
    CHECK_FALSE(fed.node.sent<SubscribeMessage>(third).empty());
}

TEST_CASE("A stalled parent's replacement counts as a new parent that was waited for") {
    Fed fed;
    fed.usual_rebuilds = false;
    fed.parent_sends = false;
    fed.pass_groups(8);
    fed.node.enter(other, {5});
    fed.node.hear(other, fed.claim(mask_of(stripe)));
    fed.pass_groups(1);
    static_cast<void>(fed.node.policy().take_reattached());
    fed.node.hear(other, AcceptMessage{stripe, path_of({1, 5}), {}});
    auto const waited = fed.node.policy().take_reattached();
    REQUIRE(waited.size() == 1);
    CHECK(waited[0] > milliseconds{500});
    CHECK(waited[0] < milliseconds{2250});
}

TEST_CASE("A parent that falls silent is left soon") {
    Fed fed;
    fed.parent_sends = fed.parent_lives = false;
    fed.pass_groups(6);
    CHECK_FALSE(fed.feeds(parent));
}

TEST_CASE("A new parent is asked for all that is missing and young enough to be of use") {
    Fed fed;
    fed.parent_sends = fed.usual_rebuilds = false;
    auto const last = fed.group;
    fed.pass_groups(14);
    fed.node.enter(other, {5});
    fed.node.hear(other, fed.claim(mask_of(stripe)));
    fed.pass_groups(1);
    auto const asked = fed.asked_other();
    REQUIRE_FALSE(asked.empty());
    auto const& request = asked.front();
    REQUIRE(request.first.value <= last + 1);
    for (auto group = request.first.value; group <= last; ++group)
        CHECK((request.held >> (group - request.first.value) & 1U) == 1);
    for (auto group = last + 1; group <= last + 14; ++group) {
        CAPTURE(group - last);
        CHECK((request.held >> (group - request.first.value) & 1U) == 0);
    }
}

TEST_CASE("Who needs a stripe asks one that is catching up itself, who does not need it waits") {
    for (bool const needs_it : {true, false}) {
        CAPTURE(needs_it);
        Fed fed;
        fed.parent_sends = !needs_it;
        fed.parent_age = milliseconds{1500};
        fed.pass_groups(8);
        fed.node.enter(other, {5});
        for (int i = 0; i < (needs_it ? 1 : 80); ++i) {
            auto advert = fed.claim(mask_of(stripe), 8);
            advert.stripes.front().age = milliseconds{0}; // it would be quicker
            fed.node.hear(other, advert);
            fed.pass_groups(1);
        }
        CHECK(fed.asked_other().empty() != needs_it);
    }
}

TEST_CASE("After an outage of the whole stream a parent has as long as ever before it is left") {
    Fed fed;
    for (int i = 0; i < 25; ++i) { // five seconds of neighbours without news
        fed.node.wait(milliseconds{200});
        fed.node.hear(usual, fed.claim(0x1fe));
        fed.node.hear(parent, fed.claim(mask_of(stripe)));
    }
    fed.node.forget();
    fed.parent_sends = false;
    fed.pass_groups(3); // the others are there first
    CHECK(fed.feeds(parent));
    CHECK(fed.node.sent<UnsubscribeMessage>(parent).empty());
    fed.pass_groups(20);
    CHECK_FALSE(fed.feeds(parent));
}

TEST_CASE("Who loses its connection to the source takes a parent that gets the stripe from there") {
    Node node{{2}, 10};
    feed(node);
    REQUIRE(node.policy().flowing() == 0x1ff);
    node.enter(other, {5});
    auto advert = advert_of(9, 0);
    advert.newest = {200};
    node.hear(other, advert);
    node.policy().leave({1}, node.now());
    node.wait(milliseconds{200});
    auto const asked = node.sent<SubscribeMessage>(other);
    REQUIRE_FALSE(asked.empty());
    node.hear(other, AcceptMessage{asked.front().stripe, path_of({1, 5}), {}});
    CHECK(node.policy().parents().parent(asked.front().stripe) == NeighbourId{other});
}
