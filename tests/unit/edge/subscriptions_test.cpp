#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A source whose neighbour 2 is stripe 4's root; it and six others tell for five seconds what they
/// get, as `change` has it.
void listen_with_root(
    Node& source, std::function<void(std::uint64_t, AdvertMessage&)> const& change
) {
    for (std::uint64_t id = 2; id < 9; ++id)
        source.enter(id, {static_cast<std::uint32_t>(id)});
    source.hear(2, home_of(4));
    REQUIRE(source.sent<AcceptMessage>(2).size() == 1);
    for (int i = 0; i < 20; ++i) {
        source.wait(milliseconds{250});
        for (std::uint64_t id = 2; id < 9; ++id) {
            auto advert = advert_of(9, 0);
            advert.slots = 40; // enough to be a home of each
            change(id, advert);
            source.hear(id, advert);
        }
    }
}

} // namespace

TEST_CASE("A viewer alone with the source asks it for every stripe") {
    Node viewer{{2}, 0};
    viewer.enter(1, source_id, true);
    viewer.hear(1, advert_of(9, 0));
    viewer.wait(seconds{3});
    StripeMask asked = 0;
    for (auto const& message : viewer.sent<SubscribeMessage>(1))
        asked |= mask_of(message.stripe);
    CHECK(asked == 0x1ff);
}

TEST_CASE("A child that asks again for what it has or has just left is as old as it was") {
    for (bool const leaves : {false, true}) {
        CAPTURE(leaves);
        Node source{source_id, 9};
        listen_with_root(source, [&](std::uint64_t id, AdvertMessage& advert) {
            advert.stripes[4].is_flowing = false; // the root passes nothing on
            if (id != 2) return;
            if (leaves) source.hear(2, UnsubscribeMessage{{4}});
            source.hear(2, home_of(4));
        });
        source.forget();
        source.hear(3, home_of(4));
        CHECK(source.sent<AcceptMessage>(3).size() == 1);
    }
}

TEST_CASE("A neighbour hears of the newest random access points when it comes, and of no more") {
    Node source{source_id, 10};
    for (std::uint64_t group = 0; group < 100; ++group) {
        source.policy().on_block({{}, {0}, {group}, {}, {}}, MonotonicTime{seconds{1000}});
        if (group % 8 == 0) source.policy().note_entry({group});
    }
    source.enter(5, {5});
    auto const adverts = source.sent<AdvertMessage>(5);
    REQUIRE(adverts.size() == 1);
    REQUIRE(adverts.front().entries.size() == limits::edge_entries);
    CHECK(adverts.front().entries.front() == GroupNumber{96});
    CHECK(adverts.front().entries.back() == GroupNumber{40});
    source.wait(seconds{3});
    CHECK(source.sent<AdvertMessage>(5).back().entries.empty());
}

TEST_CASE("Every number of stripes from two to sixteen is asked for", "[stripes]") {
    for (std::uint8_t stripes = 2; stripes <= 16; ++stripes) {
        for (std::uint8_t parity = 0; parity <= 4; ++parity) {
            Node viewer{{2}, 4, stripes, parity};
            viewer.enter(1, source_id, true);
            viewer.hear(1, advert_of(static_cast<std::uint8_t>(stripes + parity), 0));
            viewer.wait(seconds{3});
            StripeMask asked = 0;
            for (auto const& message : viewer.sent<SubscribeMessage>(1))
                asked |= mask_of(message.stripe);
            CHECK(count(asked) == stripes + parity);
        }
    }
}

TEST_CASE("The source gives each stripe its share of slots") {
    Node source{source_id, 10};
    for (std::uint64_t id = 2; id < 7; ++id) {
        source.enter(id, {static_cast<std::uint32_t>(id)});
        source.hear(id, home_of(0));
    }
    CHECK(source.policy().children({0}).size() == 2); // its own slot, and the one beyond
    source.hear(2, home_of(1));
    CHECK(source.policy().children({1}).size() == 1);
}

TEST_CASE("A home takes the source's slot of a viewer that is none, and is told whose it was") {
    Node source{source_id, 9};
    source.enter(2, {2});
    source.enter(3, {3});
    source.hear(2, subscribe(4));
    REQUIRE(source.sent<AcceptMessage>(2).size() == 1);
    source.wait(milliseconds{400});
    source.hear(2, AdvertMessage{});
    source.hear(3, home_of(4));
    auto const accepted = source.sent<AcceptMessage>(3);
    REQUIRE(accepted.size() == 1);
    CHECK(accepted[0].preempted == NodeId{2});
    CHECK(accepted[0].path == path_of({1}));
    auto const preempted = source.sent<PreemptMessage>(2);
    REQUIRE(preempted.size() == 1);
    CHECK(preempted[0].successor == NodeId{3});
}

TEST_CASE("A home does not take another home's slot") {
    Node source{source_id, 9};
    source.enter(2, {2});
    source.enter(3, {3});
    source.hear(2, home_of(4));
    source.wait(milliseconds{400});
    source.hear(3, home_of(4));
    CHECK(source.sent<AcceptMessage>(3).empty());
    CHECK(source.sent<RejectMessage>(3).size() == 1);
}

TEST_CASE("A home takes the slot of one whose stripe reaches most neighbours far later than others"
) {
    for (auto const age : {milliseconds{1000}, milliseconds{2000}}) {
        CAPTURE(age.count());
        Node source{source_id, 9};
        listen_with_root(source, [&](std::uint64_t id, AdvertMessage& advert) {
            if (id != 2 && id != 3) advert.stripes[4].age = age; // most, not all
        });
        source.hear(3, home_of(4));
        CHECK(source.sent<AcceptMessage>(3).size() == (age > seconds{1} ? 1 : 0));
    }
}

TEST_CASE("A node without the stripe refuses children for it") {
    Node relay{{2}, 10};
    relay.enter(3, {3});
    relay.hear(3, subscribe(0));
    auto const rejected = relay.sent<RejectMessage>(3);
    REQUIRE(rejected.size() == 1);
    CHECK(rejected[0].reason == RejectMessage::Reason::not_flowing);
}

TEST_CASE("A relay accepts as soon as its own parent has accepted") {
    Node relay{{2}, 10};
    feed(relay);
    auto const flowing = relay.policy().flowing();
    REQUIRE(flowing != 0);
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(flowing))};
    relay.enter(3, {3});
    relay.hear(3, subscribe(stripe.value));
    auto const accepted = relay.sent<AcceptMessage>(3);
    REQUIRE(accepted.size() == 1);
    CHECK(accepted[0].path == path_of({1, 2}));
    CHECK(relay.policy().pushes(stripe, {3}));
}

TEST_CASE("Who asks the source for a stripe says what it lacks of it, since others will") {
    Node relay{{2}, 30};
    feed(relay);
    StripeIndex const lost{3};
    relay.hear(1, PreemptMessage{lost, {}, {}, 0});
    relay.forget();
    for (std::uint64_t group = 200; group < 210; ++group) {
        for (StripeIndex s; s.value < 9; ++s) {
            if (s != lost) relay.block(1, s, group, path_of({1}));
        }
        relay.wait(milliseconds{250});
    }
    auto const requests = relay.sent<SubscribeMessage>(1);
    REQUIRE_FALSE(requests.empty());
    CHECK_FALSE(requests[0].is_needy); // nor has it a child
    auto const& request = requests[0];
    for (std::uint64_t group = 200; group < 202; ++group) {
        CAPTURE(group);
        CHECK_FALSE(request.holds({group}));
    }
}

TEST_CASE("A node on the path of a stripe is refused as a child") {
    Node relay{{2}, 10};
    feed(relay);
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(relay.policy().flowing()))};
    relay.block(1, stripe, 201, path_of({1, 3}));
    relay.enter(3, {3});
    relay.hear(3, subscribe(stripe.value));
    auto const rejected = relay.sent<RejectMessage>(3);
    REQUIRE(rejected.size() == 1);
    CHECK(rejected[0].reason == RejectMessage::Reason::loop);
}

TEST_CASE("A parent whose blocks came through this node is left at once") {
    Node relay{{2}, 10};
    feed(relay);
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(relay.policy().flowing()))};
    relay.block(1, stripe, 201, path_of({1, 2, 7}));
    CHECK_FALSE(relay.policy().parents().parent(stripe));
    auto const left = relay.sent<UnsubscribeMessage>(1);
    CHECK(std::count(left.begin(), left.end(), UnsubscribeMessage{stripe}) >= 1);
}

TEST_CASE("A stripe whose path does not begin at the source does not count as flowing") {
    Node relay{{2}, 10};
    feed(relay);
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(relay.policy().flowing()))};
    relay.block(1, stripe, 201, path_of({9}));
    relay.wait(milliseconds{50});
    CHECK_FALSE(has(relay.policy().flowing(), stripe));
}

TEST_CASE("A rebuilt group's missing blocks are made for the children that wait for them") {
    Node relay{{2}, 10};
    feed(relay);
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(relay.policy().flowing()))};
    relay.enter(3, {3});
    relay.hear(3, subscribe(stripe.value));
    REQUIRE(relay.policy().pushes(stripe, {3}));
    for (StripeIndex s; s.value < 9; ++s) {
        if (s != stripe) relay.block(1, s, 201, path_of({1}));
    }
    relay.policy().on_rebuilt({201}, MonotonicTime{seconds{1003}});
    auto const made = relay.take<RegenerateBlocks>();
    REQUIRE(made.size() == 1);
    CHECK(made[0].group == GroupNumber{201});
    CHECK(made[0].stripes == mask_of(stripe));
}

TEST_CASE("Neither the source answers wants nor who has enough to send") {
    CHECK_FALSE(Node({1}, 10).policy().answers_wants({}));
    Node viewer{{2}, 10};
    CHECK(viewer.policy().answers_wants({}));
    CHECK(viewer.policy().answers_wants(milliseconds{249}));
    CHECK_FALSE(viewer.policy().answers_wants(milliseconds{250}));
    viewer.policy().on_uplink(milliseconds{200});
    CHECK_FALSE(viewer.policy().answers_wants({}));
}

TEST_CASE("A viewer that stays below K stripes steps back and comes again") {
    Node viewer{{2}, 4};
    viewer.enter(3, {3});
    viewer.wait(seconds{10});
    CHECK_FALSE(viewer.policy().is_stepped_back()); // nobody is fed, so nobody would be helped
    viewer.hear(3, advert_of(9, StripeAdvert::nobody));
    viewer.wait(seconds{5});
    CHECK(viewer.policy().is_stepped_back());
    viewer.wait(seconds{1});
    CHECK(viewer.policy().is_stepped_back());
    milliseconds absent{1000};
    for (; viewer.policy().is_stepped_back() && absent < seconds{60}; absent += milliseconds{50})
        viewer.wait(milliseconds{50});
    CHECK(absent > seconds{8});
    CHECK(absent < seconds{21});
}

TEST_CASE("A viewer that stepped back comes again soon when neighbours have slots for several") {
    Node viewer{{2}, 4};
    viewer.enter(3, {3});
    viewer.hear(3, advert_of(9, StripeAdvert::nobody));
    viewer.wait(seconds{8});
    REQUIRE(viewer.policy().is_stepped_back());
    auto room = advert_of(9, 0);
    room.spare = 200; // as one says
    viewer.hear(3, room);
    viewer.wait(seconds{4});
    CHECK(viewer.policy().is_stepped_back());
    for (std::uint64_t id = 4; id < 6; ++id) {
        viewer.enter(id, {static_cast<std::uint32_t>(id)});
        viewer.hear(id, room);
    }
    viewer.wait(seconds{2});
    CHECK_FALSE(viewer.policy().is_stepped_back());
}

TEST_CASE("Who brings less than it takes takes nobody's place that needs it until it was fed") {
    for (auto const& [slots, asks] : {std::pair{8, false}, std::pair{9, true}}) {
        CAPTURE(slots);
        Node newcomer{{2}, static_cast<std::size_t>(slots)};
        newcomer.enter(3, {3});
        newcomer.hear(3, advert_of(9, child_class::needy));
        newcomer.wait(seconds{1});
        CHECK(newcomer.sent<SubscribeMessage>(3).empty() != asks);
    }
    Node fed{{2}, 8};
    feed(fed);
    fed.wait(milliseconds{50}); // knows that it is
    fed.forget();
    fed.policy().leave({1}, fed.now());
    fed.enter(3, {3});
    fed.hear(3, advert_of(9, child_class::needy));
    fed.wait(seconds{1});
    CHECK_FALSE(fed.sent<SubscribeMessage>(3).empty());
}

TEST_CASE("Who brings less than it takes takes places of parity before it was fed") {
    Node newcomer{{2}, 8};
    newcomer.enter(3, {3});
    newcomer.hear(3, advert_of(9, child_class::without_uplink));
    newcomer.wait(seconds{1});
    auto const asked = newcomer.sent<SubscribeMessage>(3);
    REQUIRE(asked.size() >= 8);
    for (auto const& request : asked) {
        CHECK(request.may_preempt);
        CHECK_FALSE(request.has_uplink);
        CHECK_FALSE(request.is_home);
    }
}

TEST_CASE("Settled neighbours hear an advert about once a second") {
    Node relay{{2}, 10};
    feed(relay);
    relay.enter(3, {3});
    for (std::uint64_t group = 201; group < 221; ++group) {
        for (StripeIndex s; s.value < 9; ++s)
            relay.block(1, s, group, path_of({1}));
        relay.wait(milliseconds{250});
        relay.hear(1, advert_of(9, 0));
        if (group == 208) relay.forget();
    }
    auto const adverts = relay.sent<AdvertMessage>(3).size();
    CHECK(adverts >= 2);
    CHECK(adverts <= 5);
}

TEST_CASE("The source of a stream of few stripes hears adverts more rarely than others") {
    auto const heard = [](std::uint8_t stripes) { // by the source and by a viewer, in 12 s
        Node viewer{{2}, 20, stripes, 0};
        viewer.enter(1, source_id, true);
        viewer.enter(7, {7});
        viewer.hear(7, advert_of(stripes, StripeAdvert::nobody));
        viewer.forget();
        viewer.wait(seconds{12});
        return std::pair{
            viewer.sent<AdvertMessage>(1).size(), viewer.sent<AdvertMessage>(7).size()};
    };
    auto const [few, few_at_viewer] = heard(2);
    CHECK(few * 2 < few_at_viewer);
    CHECK(few >= 3);
    auto const [many, many_at_viewer] = heard(8);
    CHECK(many + 1 >= many_at_viewer);
}

TEST_CASE("Parity that was promised flows when it comes, data at once") {
    Node viewer{{2}, 0};
    viewer.enter(3, {3});
    viewer.hear(3, advert_of(9, 0));
    for (int i = 0; i < 10; ++i) {
        viewer.wait(milliseconds{50});
        for (auto const& request : viewer.sent<SubscribeMessage>(3))
            viewer.hear(3, AcceptMessage{request.stripe, path_of({1, 3}), {}});
        viewer.forget();
    }
    CHECK(viewer.policy().flowing() == 0xff);
    viewer.block(3, {8}, 101, path_of({1, 3}));
    viewer.wait(milliseconds{50});
    CHECK(viewer.policy().flowing() == 0x1ff);
}

TEST_CASE("Only a stripe that is missed counts as waiting for a parent") {
    Node viewer{{2}, 0};
    feed(viewer);
    static_cast<void>(viewer.policy().take_reattached());
    std::uint64_t group = 200;
    auto const go_on = [&](bool accepts) {
        for (int i = 0; i < 60 && viewer.policy().flowing() != 0x1ff; ++i, ++group) {
            viewer.hear(1, advert_of(9, 0));
            for (StripeIndex s; s.value < 9; ++s)
                viewer.block(1, s, group, path_of({1}));
            viewer.wait(milliseconds{100});
            for (auto const& request : viewer.sent<SubscribeMessage>(1)) {
                if (accepts)
                    viewer.hear(1, AcceptMessage{request.stripe, path_of({1}), {}});
                else
                    viewer.hear(1, RejectMessage{request.stripe, RejectMessage::Reason::full});
            }
            viewer.forget();
        }
    };
    viewer.hear(1, PreemptMessage{{0}, {}, {}, 0});
    viewer.wait(milliseconds{50});
    viewer.forget();
    SECTION("one that parity makes up for is not") {
        go_on(true);
        CHECK(viewer.policy().flowing() == 0x1ff);
        CHECK(viewer.policy().take_reattached().empty());
    }
    SECTION("it waits from when another one is lost, too") {
        go_on(false);
        viewer.hear(1, PreemptMessage{{1}, {}, {}, 0});
        go_on(true);
        CHECK(viewer.policy().flowing() == 0x1ff);
        auto const times = viewer.policy().take_reattached();
        REQUIRE(times.size() == 1); // the other was mere luxury then
        CHECK(times.front() < seconds{2});
    }
}

TEST_CASE("Messages for stripes that there are not and from strangers change nothing") {
    Node viewer{{2}, 4};
    viewer.enter(3, {3});
    viewer.forget();
    viewer.hear(3, subscribe(31));
    viewer.hear(3, AcceptMessage{{31}, path_of({1}), {}});
    viewer.hear(3, RejectMessage{{31}, RejectMessage::Reason::full});
    viewer.hear(3, UnsubscribeMessage{{31}});
    viewer.hear(3, PreemptMessage{{31}, {7}, {}, 0});
    viewer.hear(9, subscribe(0));
    CHECK(viewer.take<SendSubscription>().empty());
    viewer.hear(3, AcceptMessage{{0}, path_of({1, 3}), {}}); // never asked
    CHECK(viewer.sent<UnsubscribeMessage>(3).size() == 1);
    CHECK(viewer.policy().flowing() == 0);
}

TEST_CASE("Who was displaced asks its successor again that had not heard of it yet") {
    Node relay{{2}, 10};
    feed(relay);
    relay.enter(3, {3});
    StripeIndex const stripe{static_cast<std::uint8_t>(std::countr_zero(relay.policy().flowing()))};
    relay.forget();
    relay.hear(1, PreemptMessage{stripe, {3}, {}, 0});
    for (int tries = 1; tries <= 3; ++tries) {
        auto const asked = relay.sent<SubscribeMessage>(3);
        REQUIRE(asked.size() == static_cast<std::size_t>(tries));
        CHECK(asked.back().is_adopt);
        relay.hear(3, RejectMessage{stripe, RejectMessage::Reason::loop});
        relay.wait(milliseconds{50});
    }
    relay.hear(3, AcceptMessage{stripe, path_of({1, 3}), {}});
    CHECK(relay.policy().parents().parent(stripe) == NeighbourId{3});
}
