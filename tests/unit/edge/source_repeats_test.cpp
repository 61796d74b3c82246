#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint8_t stripe = 4;

/// A source with one slot a stripe: each has a child of its own.
struct Source : Node {
    Source()
        : Node(source_id, 9) {
        for (std::uint8_t s = 0; s < 9; ++s) {
            enter(id_of(s), {static_cast<std::uint32_t>(id_of(s))});
            hear(id_of(s), subscribe(s));
        }
        forget();
    }

    static std::uint64_t id_of(std::uint8_t s) { return 10U + s; }

    void send_group() {
        for (StripeIndex s; s.value < 9; ++s)
            policy().on_block({{}, s, {next}, {}, {}}, now());
        policy().on_rebuilt({next++}, now());
        wait(milliseconds{250});
    }
    void live(std::uint8_t s) { hear(id_of(s), advert_of(9, 0)); }
    /// Six seconds after the last sign of life of anybody; all that is sent then waits.
    void lose_all() {
        for (std::uint8_t s = 0; s < 9; ++s)
            live(s);
        for (int i = 0; i < 24; ++i)
            send_group();
        policy().on_uplink(milliseconds{1500});
    }

    /// Groups that a child is sent once more.
    std::vector<std::uint64_t> repeated(std::uint64_t to) {
        std::vector<std::uint64_t> groups;
        for (auto const& push : take<StartPush>()) {
            if (push.child.value != to) continue;
            for (std::uint64_t i = 0; i < 32; ++i) {
                if ((push.held >> i & 1U) == 0) groups.push_back(push.first.value + i);
            }
        }
        return groups;
    }

    std::uint64_t next = 100;
};

} // namespace

TEST_CASE("What children got that died unheard is sent to those who take their places") {
    Source source;
    for (int i = 0; i < 6; ++i) { // two of them have fallen silent: parity covers one
        for (std::uint8_t s = 0; s < 9; ++s) {
            if (s != stripe && s != stripe + 1) source.live(s);
        }
        source.send_group();
    }
    source.forget();
    source.enter(30, {30});
    source.hear(30, advert_of(9, 0));
    source.hear(30, subscribe(stripe));
    auto const groups = source.repeated(30);
    CHECK(groups.size() >= 4);
    CHECK(groups.back() + 1 == source.next);
}

TEST_CASE("What one root took with it is sent though there is enough without it") {
    Source source;
    for (int i = 0; i < 6; ++i) {
        for (std::uint8_t s = 0; s < 9; ++s) {
            if (s != stripe) source.live(s);
        }
        source.send_group();
    }
    source.forget();
    source.enter(30, {30});
    source.hear(30, advert_of(9, 0));
    source.hear(30, subscribe(stripe)); // who else is gone shows a moment later
    CHECK(source.repeated(30).size() >= 4);
    SECTION("but not what a root that is there has had") {
        source.forget();
        source.hear(30, UnsubscribeMessage{{stripe}});
        source.enter(31, {31});
        source.hear(31, advert_of(9, 0));
        source.hear(31, subscribe(stripe));
        CHECK(source.repeated(31).empty());
    }
}

TEST_CASE("A child that is there already is sent what another one took with it") {
    Source source;
    source.policy().set_slots(10);
    source.enter(30, {30});
    for (int i = 0; i < 3; ++i) {
        for (std::uint8_t s = 0; s < 9; ++s) {
            if (s != stripe && s != stripe + 1) source.live(s);
        }
        source.send_group();
    }
    source.hear(30, advert_of(9, 0));
    source.hear(30, subscribe(stripe + 1)); // beside the one that is silent
    source.forget();
    for (int i = 0; i < 3; ++i) {
        source.hear(30, advert_of(9, 0));
        for (std::uint8_t s = 0; s < 9; ++s) {
            if (s != stripe && s != stripe + 1) source.live(s);
        }
        source.send_group();
    }
    auto const groups = source.repeated(30);
    REQUIRE_FALSE(groups.empty());
    CHECK(groups.front() < 103); // from before it came
}

TEST_CASE(
    "After an outage of the source's line those who were there are sent all of it, newcomers less"
) {
    Source source;
    for (int i = 0; i < 4; ++i) {
        for (std::uint8_t s = 0; s < 9; ++s)
            source.live(s);
        source.send_group();
    }
    auto const last_heard = source.next - 1;
    for (int i = 0; i < 24; ++i) // six seconds
        source.send_group();
    source.forget();
    source.enter(30, {30});
    auto request = subscribe(stripe);
    SECTION("who was there") {
        request.first = {last_heard};
        source.hear(30, request);
        auto const groups = source.repeated(30);
        REQUIRE(groups.size() >= 24);
        CHECK(groups.back() + 1 == source.next);
        for (auto const& push : source.take<StartPush>())
            CHECK(push.is_urgent);
    }
    SECTION("a newcomer") {
        request.first = {source.next - 4};
        source.hear(30, request);
        auto const groups = source.repeated(30);
        CHECK(groups.size() >= 10);
        CHECK(groups.size() <= 13); // three seconds
    }
}

TEST_CASE("A source sends a run's beginning to those who come for it a moment later") {
    Node source{source_id, 9};
    std::uint64_t next = 0;
    auto const send_groups = [&](std::uint64_t end) {
        for (; next < end; ++next) {
            for (StripeIndex s; s.value < 9; ++s)
                source.policy().on_block({{}, s, {next}, {}, {}}, source.now());
            source.policy().on_rebuilt({next}, source.now());
            source.wait(milliseconds{250});
        }
    };
    auto const repeats = [&] {
        source.enter(2, {2});
        auto request = subscribe(0);
        request.first = {0};
        source.hear(2, request);
        return source.take<StartPush>();
    };
    SECTION("all of it") {
        send_groups(6);
        auto const pushes = repeats();
        REQUIRE(pushes.size() == 1);
        CHECK(pushes.front().first == GroupNumber{0});
        CHECK(pushes.front().held == ~std::uint32_t{0} << next);
    }
    SECTION("not the last seconds of one that has gone on without viewers") {
        send_groups(40);
        CHECK(repeats().empty());
    }
}

TEST_CASE("A source with slots to spare sends a newcomer what it asks for") {
    Node source{source_id, 40};
    source.policy().on_block({{}, {0}, {100}, {}, {}}, source.now());
    source.policy().on_rebuilt({100}, source.now());
    source.enter(2, {2});
    auto request = subscribe(0);
    request.first = {90};
    source.hear(2, request);
    auto const pushes = source.take<StartPush>();
    REQUIRE(pushes.size() == 1);
    CHECK(pushes.front().first == GroupNumber{90});
    CHECK(pushes.front().held == 0);
}

TEST_CASE("While a source makes up for an outage it has one child a stripe, and keeps its slots") {
    Source source;
    source.policy().set_slots(27);
    for (std::uint8_t s = 0; s < 9; ++s)
        source.live(s);
    for (int i = 0; i < 24; ++i) // six seconds, after which all are gone
        source.send_group();
    auto const come = [&](std::uint64_t id) {
        source.enter(id, {static_cast<std::uint32_t>(id)});
        source.hear(id, advert_of(9, 0));
        auto request = subscribe(stripe);
        request.first = {100};
        source.hear(id, request);
        return source.sent<AcceptMessage>(id).size();
    };
    CHECK(come(30) == 1);
    source.policy().on_uplink(milliseconds{1500});
    CHECK(come(31) == 0);
    source.wait(milliseconds{800});
    CHECK(source.policy().slots() == 27);
    source.policy().on_uplink({});
    source.hear(30, advert_of(9, 0));
    source.wait(milliseconds{500});
    source.hear(30, advert_of(9, 0));
    CHECK(come(32) == 1);
}

TEST_CASE("What a child is sent after an outage goes to the next one if it leaves before it has it"
) {
    Source source;
    source.lose_all();
    auto request = subscribe(stripe);
    request.first = {100};
    for (std::uint64_t const id : {30U, 31U}) {
        source.enter(id, {static_cast<std::uint32_t>(id)});
        source.forget();
        source.hear(id, request);
        CHECK(source.repeated(id).size() >= 20);
        source.hear(id, UnsubscribeMessage{{stripe}});
    }
}

TEST_CASE("After an outage parity is made up for, too: not all new roots pass on what they get") {
    Source source;
    source.lose_all();
    for (std::uint8_t s = 0; s < 9; ++s) {
        auto const id = 30U + s;
        source.enter(id, {id});
        source.forget();
        auto request = subscribe(s);
        request.first = {100};
        source.hear(id, request);
        CHECK(source.repeated(id).size() >= 20);
    }
}

TEST_CASE("Who takes a root's place after an outage is sent what that one waits for, at once") {
    Source source;
    source.lose_all();
    source.enter(30, {30});
    auto request = subscribe(stripe);
    request.first = {100};
    source.hear(30, request);
    for (int i = 0; i < 3; ++i) { // which wait behind the others
        source.hear(30, advert_of(9, 0));
        source.send_group();
    }
    source.enter(31, {31});
    source.hear(31, advert_of(9, 16));
    source.forget();
    request = home_of(stripe);
    request.first = {100};
    request.held = 0xff; // eight groups that it had of the other one
    source.hear(31, request);
    CHECK(source.sent<AcceptMessage>(31).size() == 1);
    CHECK(source.sent<PreemptMessage>(30).size() == 1);
    auto const groups = source.repeated(31);
    REQUIRE(groups.size() >= 16);
    CHECK(groups.front() >= 108);
    CHECK(groups.back() + 1 == source.next);
    source.wait(milliseconds{50});
    CHECK(source.take<StopPush>().size() == 1);
}

TEST_CASE("Who asks again and again for what an outage held up is sent it twice") {
    Source source;
    source.lose_all();
    source.enter(30, {30});
    auto request = subscribe(stripe);
    request.first = {100};
    std::size_t sent = 0;
    for (int i = 0; i < 10; ++i) {
        source.forget();
        source.hear(30, request);
        sent += source.repeated(30).size();
    }
    CHECK(sent >= 40);
    CHECK(sent <= 56);
}

TEST_CASE("A source whose child goes before there is any group has nothing to make up for") {
    Node source{source_id, 18};
    for (std::uint64_t const id : {2U, 3U}) {
        source.enter(id, {static_cast<std::uint32_t>(id)});
        source.hear(id, subscribe(0));
    }
    source.policy().leave({2}, source.now());
    CHECK(source.take<StopPush>().size() == 1);
    CHECK(source.policy().used_slots() == 1);
}

TEST_CASE("A source that gives up slots gives up second children first, then parity") {
    Node source{source_id, 11};
    for (std::uint8_t s = 0; s < 9; ++s) {
        source.enter(10U + s, {10U + s});
        source.hear(10U + s, subscribe(s));
    }
    for (std::uint8_t s = 5; s < 7; ++s) {
        source.enter(20U + s, {20U + s});
        source.hear(20U + s, subscribe(s));
    }
    REQUIRE(source.policy().used_slots() == 11);
    auto const children = [&](StripeIndex s) { return source.policy().children(s).size(); };
    for (std::size_t slots = 11; slots-- > 8;) {
        for (int i = 0; i < 20 && source.policy().slots() > slots; ++i) {
            source.policy().on_uplink(seconds{2});
            source.wait(milliseconds{50});
        }
        REQUIRE(source.policy().used_slots() == slots);
        for (StripeIndex s; s.value < 8; ++s)
            CHECK(children(s) >= 1);
        CHECK(children({8}) == (slots == 8 ? 0 : 1));
    }
}
