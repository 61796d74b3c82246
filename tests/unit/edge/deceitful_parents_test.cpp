#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t honest = 3;
constexpr std::uint64_t liar = 4;
constexpr std::uint8_t last_stripe = 8;

/// A viewer without uplink that gets all stripes of an honest neighbour, group by group; then
/// another one comes and promises to be quicker.
struct Lured {
    Lured() {
        viewer.enter(honest, {3});
        viewer.hear(honest, promise(milliseconds{1500}));
        for (int i = 0; i < 60 && count(parents(honest)) < 9; ++i)
            pass_group();
        REQUIRE(count(parents(honest)) == 9);
        viewer.enter(liar, {4});
        viewer.hear(liar, promise(milliseconds{0}));
        is_lured = true;
    }
    [[nodiscard]] AdvertMessage promise(milliseconds age) const {
        auto advert = advert_of(9, 0);
        advert.newest = {group};
        for (auto& stripe : advert.stripes)
            stripe.age = age;
        return advert;
    }
    [[nodiscard]] StripeMask parents(std::uint64_t of) {
        StripeMask found = 0;
        for (StripeIndex s; s.value <= last_stripe; ++s) {
            if (viewer.policy().parents().parent(s) == NeighbourId{of}) found |= mask_of(s);
        }
        return found;
    }
    /// Grants what was asked; children still get blocks as long as they did not leave.
    void answer(std::uint64_t who, NodePath const& path) {
        for (auto const& asked : viewer.sent<SubscribeMessage>(who)) {
            viewer.hear(who, AcceptMessage{asked.stripe, path, {}});
            (who == honest ? sends_honest : sends_liar) |= mask_of(asked.stripe);
        }
        ever_sent_liar |= sends_liar;
        for (auto const& left : viewer.sent<UnsubscribeMessage>(who))
            (who == honest ? sends_honest : sends_liar) &= ~mask_of(left.stripe);
    }
    /// A group from the honest one, a span of time, and what the liar makes of it.
    void pass_group() {
        for (StripeIndex s; s.value <= last_stripe; ++s) {
            if (has(sends_honest, s))
                viewer.block(honest, s, group, path_of({1, 3}), milliseconds{1500});
            auto const made = liar_sends ? liar_sends(group) : std::nullopt;
            if (made && has(sends_liar, s))
                viewer.block(liar, s, *made, path_of({1, 4}), milliseconds{0});
        }
        ++group;
        for (int i = 0; i < 5; ++i) {
            viewer.wait(milliseconds{50});
            answer(honest, path_of({1, 3}));
            answer(liar, path_of({1, 4}));
            viewer.forget();
        }
        viewer.hear(honest, promise(milliseconds{1500}));
        if (is_lured) viewer.hear(liar, promise(milliseconds{0}));
    }

    Node viewer{{2}, 0};
    std::uint64_t group = 100;
    StripeMask sends_honest = 0;
    StripeMask sends_liar = 0;
    StripeMask ever_sent_liar = 0;
    bool is_lured = false;
    /// Which group the liar sends while this one is new.
    std::function<std::optional<std::uint64_t>(std::uint64_t)> liar_sends;
};

} // namespace

TEST_CASE("A new parent is believed when it sends: the one before is kept until then") {
    Lured lured;
    for (int i = 0; i < 60; ++i) {
        lured.pass_group();
        REQUIRE(lured.sends_honest == 0x1ff);
    }
    CHECK(lured.ever_sent_liar != 0);
    CHECK(lured.parents(honest) == 0x1ff);
}

TEST_CASE("A parent whose blocks come later than others' is left, whatever age they claim") {
    Lured lured;
    lured.liar_sends = [](std::uint64_t newest) { return std::optional{newest - 12}; };
    std::size_t most = 0;
    std::size_t later = 0;
    for (int i = 0; i < 160; ++i) {
        lured.pass_group();
        most = std::max(most, count(lured.parents(liar)));
        if (i >= 80) later += count(lured.parents(liar));
    }
    CHECK(most > 0);
    CHECK(later < 2 * 80); // of nine stripes: it is tried again now and then
}

TEST_CASE("A parent that is as quick as it promises is kept") {
    Lured lured;
    lured.liar_sends = [](std::uint64_t newest) { return std::optional{newest}; };
    for (int i = 0; i < 160; ++i)
        lured.pass_group();
    CHECK(count(lured.parents(liar)) == 9);
}

TEST_CASE("Who accepts and leaves itself out of its path is no parent") {
    for (bool const is_whole : {true, false}) {
        CAPTURE(is_whole);
        Node viewer{{2}, 0};
        viewer.enter(3, {3});
        viewer.hear(3, advert_of(9, 0));
        for (int i = 0; i < 20 && viewer.sent<SubscribeMessage>(3).empty(); ++i)
            viewer.wait(milliseconds{50});
        auto const asked = viewer.sent<SubscribeMessage>(3);
        REQUIRE_FALSE(asked.empty());
        auto const stripe = asked.front().stripe;
        viewer.hear(3, AcceptMessage{stripe, is_whole ? path_of({1, 3}) : path_of({1}), {}});
        CHECK(viewer.policy().parents().parent(stripe).has_value() == is_whole);
        CHECK(viewer.sent<UnsubscribeMessage>(3).empty() == is_whole);
    }
}

TEST_CASE("A path that has no room for this node does not make a stripe flow") {
    Node relay{{2}, 10};
    feed(relay);
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(relay.policy().flowing()))};
    NodePath path = path_of({1});
    for (std::uint32_t node = 100; path.append({node}); ++node) {
    }
    relay.block(1, stripe, 201, path);
    relay.wait(milliseconds{50});
    CHECK_FALSE(has(relay.policy().flowing(), stripe));
}

TEST_CASE(
    "A child through whom the stripe comes by now is let go, whoever else keeps quiet about it"
) {
    for (bool const is_loop : {true, false}) {
        CAPTURE(is_loop);
        Node relay{{2}, 10};
        feed(relay);
        relay.enter(10, {10});
        relay.hear(10, advert_of(9, 0));
        StripeIndex const stripe{3};
        relay.hear(10, subscribe(stripe.value));
        REQUIRE(relay.sent<AcceptMessage>(10).size() == 1);
        relay.forget();
        relay.block(1, stripe, 300, path_of({1, is_loop ? 10U : 11U}));
        relay.wait(milliseconds{50});
        CHECK(relay.policy().children(stripe).empty() == is_loop);
        CHECK(relay.sent<PreemptMessage>(10).size() == (is_loop ? 1 : 0));
    }
}
