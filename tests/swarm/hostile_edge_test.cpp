#include "support/deceived.hpp"
#include "support/dial_counter.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

namespace {

using Forge = void (*)(Block&);

constexpr std::pair<char const*, Forge> forgeries[] = {
    {"payload",
     [](Block& block) {
         auto bytes = *block.payload;
         bytes.front() ^= 1;
         block.payload = std::make_shared<Bytes const>(std::move(bytes));
     }},
    {"signature", [](Block& block) { block.signature = {}; }},
    {"group", [](Block& block) { block.header.group = block.header.group.next(); }},
    {"group far ahead", [](Block& block) { block.header.group = {1'000'000'000}; }},
    {"chunk", [](Block& block) { block.header.chunk = block.header.chunk.next(); }},
    {"offset", [](Block& block) { block.header.offset = block.header.offset + 1; }},
    {"length", [](Block& block) { --block.header.length; }},
    {"media time", [](Block& block) { block.header.media_time += 1h; }},
    {"wall time", [](Block& block) { block.header.wall_time += 1h; }},
    {"flags", [](Block& block) { block.header.flags ^= GroupHeader::last_flag; }},
};

} // namespace

TEST_CASE("A block that is not as it was signed is forged: used by nobody, passed on to nobody") {
    Deceived attack;
    auto const blocks = blocks_of(attack.bench.make_group(), attack.bench.swarm.key);
    auto const which = GENERATE(range(std::size_t{0}, std::size(forgeries)));
    CAPTURE(forgeries[which].first);
    auto block = blocks.front();
    forgeries[which].second(block);
    attack.impostor.send(block);
    attack.impostor.settle();
    CHECK(attack.forged() == 1);
    CHECK(attack.strikes() == 1);
    CHECK(attack.viewer.bytes.empty());
    CHECK(attack.passed_on() == 0);
    attack.impostor.send(block);
    attack.impostor.send(block);
    CHECK(attack.impostor.is_cut_off());
    CHECK(attack.viewer.node.channel().neighbourhood().bans().count() == 1);
}

TEST_CASE("A block is not taken of one that leaves itself out of its path") {
    Deceived attack;
    auto block = blocks_of(attack.bench.make_group(), attack.bench.swarm.key).front();
    block.path = {attack.impostor.run_node(), NodeId{7}};
    attack.impostor.send(encode(message_of(block)));
    attack.impostor.settle();
    CHECK(attack.taken() == 0);
    CHECK(attack.forged() == 0);
    CHECK(attack.passed_on() == 0);
}

TEST_CASE("A block of another event, rendition, run or shape is forged or malformed in this run") {
    Deceived attack;
    auto group = attack.bench.make_group();
    auto const what = GENERATE(0, 1, 2, 3, 4);
    if (what == 0) group.header.event = {test_event.value + 1};
    if (what == 1) group.header.rendition = {1};
    if (what == 2) group.header.stripes = 7;
    if (what == 3) group.header.parity = 2;
    if (what == 4) group.header.run = RunId{{9, 9, 9}};
    auto block = blocks_of(group, attack.bench.swarm.key).front(); // a genuine one
    block.header.run = attack.bench.parameters.run;                // said to be of this run
    attack.impostor.send(block);
    attack.impostor.settle();
    CHECK(attack.strikes() == 1);
    CHECK(attack.viewer.bytes.empty());
    CHECK(attack.taken() == 0);
    CHECK(attack.passed_on() == 0);
    attack.impostor.send(block);
    attack.impostor.send(block);
    CHECK(attack.impostor.is_cut_off());
}

TEST_CASE("Blocks of another run are not used, and a flood of them cuts their sender off") {
    Deceived attack;
    auto group = attack.bench.make_group();
    group.header.run = RunId{{9, 9, 9}};
    auto const blocks = blocks_of(group, attack.bench.swarm.key); // genuine ones
    for (auto const& block : blocks)
        attack.impostor.send(block);
    attack.impostor.settle();
    CHECK(attack.strikes() == 0);
    CHECK(attack.viewer.bytes.empty());
    CHECK(attack.taken() == 0);
    CHECK(attack.passed_on() == 0);
    attack.impostor.flood(1000, attack.impostor.encode_block(blocks.front()));
    CHECK(attack.impostor.is_cut_off());
}

TEST_CASE("What was sent twice is used and passed on once; a flood of it ends the connection") {
    Deceived attack;
    auto const blocks = blocks_of(attack.bench.make_group(), attack.bench.swarm.key);
    for (auto const& block : blocks) {
        attack.impostor.send(block);
        attack.impostor.send(block);
    }
    attack.impostor.settle();
    CHECK_FALSE(attack.impostor.is_closed());
    CHECK(attack.viewer.pieces == 8);
    CHECK(attack.duplicates() == 9);
    CHECK(attack.passed_on() == 9);
    auto const used = attack.viewer.pieces;
    attack.impostor.flood(2000, attack.impostor.encode_block(blocks.front()));
    CHECK(attack.impostor.is_cut_off());
    CHECK(attack.viewer.pieces == used);
    CHECK(attack.witness.blocks().size() <= attack.witness.distinct());
}

TEST_CASE("Blocks older than the back buffer come to nothing; a flood of them ends the connection"
) {
    Deceived attack;
    auto const old = blocks_of(attack.bench.make_group(), attack.bench.swarm.key);
    for (int i = 0; i < 300; ++i)
        static_cast<void>(attack.bench.make_group());
    for (auto const& block : blocks_of(attack.bench.make_group(), attack.bench.swarm.key))
        attack.impostor.send(block);
    attack.impostor.settle();
    auto const used = attack.viewer.pieces;
    REQUIRE(used == 8);
    attack.impostor.flood(2000, attack.impostor.encode_block(old.front()));
    CHECK(attack.impostor.is_cut_off());
    CHECK(attack.viewer.pieces == used);
}

TEST_CASE("Genuine blocks a million chunks ahead take no more memory than others") {
    Deceived attack;
    for (std::uint64_t i = 1; i <= 60; ++i) {
        auto group = attack.bench.make_group();
        auto& header = group.header;
        header.group = {i * 1'000'000'000};
        header.chunk = {i * 1'000'000};
        header.media_time = header.media_time + i * 1000h;
        for (auto const& block : blocks_of(group, attack.bench.swarm.key))
            attack.impostor.send(block);
        attack.impostor.settle();
        CHECK(attack.viewer.node.channel().edge()->back_buffer().groups() <= 1);
        CHECK(attack.viewer.node.channel().edge()->back_buffer().memory() <= group_size * 9 / 8);
    }
}

TEST_CASE("A flood of subscriptions ends the connection") {
    EdgeBench bench;
    Impostor attacker{bench, bench.source};
    SubscribeMessage const request{{0}, {0}, 0, true, true, true, true};
    attacker.flood(390, attacker.encode_said(request)); // below what is a flood for any message
    CHECK(attacker.is_cut_off());
    CHECK(bench.source.channel().edge()->policy().used_slots() == 0);
}

TEST_CASE("Floods of the policy's other messages end the connection") {
    EdgeBench bench;
    auto& viewer = bench.follow(bench.source);
    REQUIRE(bench.publish_until([&] { return viewer.node.channel().edge()->is_fed(); }));
    Impostor attacker{bench, viewer.node};
    SubscriptionMessage const message = GENERATE(values<SubscriptionMessage>(
        {Impostor::promises(7),
         AcceptMessage{{0}, Impostor::path_through({NodeId{7}}), {}},
         RejectMessage{{0}, RejectMessage::Reason::full},
         UnsubscribeMessage{{0}},
         PreemptMessage{{0}, {7}, {}, 6881}}
    ));
    attacker.flood(600, attacker.encode_said(message));
    CHECK(attacker.is_cut_off());
    auto const chunk = bench.next_chunk();
    CHECK(bench.publish_until([&] { return bench.has_chunk(viewer, chunk); }));
}

TEST_CASE("Malformed messages of the live edge are strikes; the third one bans") {
    EdgeBench bench;
    auto& viewer = bench.follow();
    auto const type = GENERATE(range(8, 17));
    CAPTURE(type);
    Impostor attacker{bench, viewer.node};
    Bytes const bad{static_cast<std::uint8_t>(type), 1, 2, 3, 4, 0xff}; // of the source
    attacker.send(bad);
    attacker.send(bad);
    attacker.settle();
    CHECK(viewer.node.channel().counters().strikes == 2);
    CHECK_FALSE(attacker.is_closed());
    attacker.send(bad);
    CHECK(attacker.is_cut_off());
    CHECK(viewer.node.channel().neighbourhood().bans().count() == 1);
}

namespace {

/// A viewer that is fed, a neighbour of it that asks too much, and what that costs the viewer.
struct Greed {
    explicit Greed(bool at_source = false)
        : viewer(bench.follow(bench.source)) {
        REQUIRE(bench.publish_until([&] {
            return viewer.node.channel().edge()->counters().groups > 30;
        }));
        attacker = std::make_unique<Impostor>(bench, at_source ? bench.source : viewer.node);
        attacker->promise_everything();
    }
    /// Blocks that came for what was asked, in three seconds of the stream.
    std::size_t blocks_within(std::function<void()> const& ask) {
        auto const end = bench.published + 30;
        bench.publish_until([&] {
            ask();
            return bench.published >= end || attacker->is_closed();
        });
        return attacker->blocks().size();
    }

    EdgeBench bench;
    Follower& viewer;
    std::unique_ptr<Impostor> attacker;
};

} // namespace

TEST_CASE("Wants of one neighbour are answered at a bounded pace, whatever it asks") {
    Greed greed;
    auto const& run = greed.bench.parameters.run;
    auto last = greed.bench.published;
    auto const sent = greed.blocks_within([&] { // as often as is no flood
        if (std::exchange(last, greed.bench.published) == greed.bench.published) return;
        StripeList list{{0}, run, {}};
        for (auto const back : {20U, 10U})
            list.groups.push_back({{last - back}, 0x1ff});
        for (int i = 0; i < 4; ++i)
            greed.attacker->send_now(encode(WantMessage{list}));
    });
    CHECK_FALSE(greed.attacker->is_closed());
    CHECK(sent > 0);
    std::size_t const groups_meanwhile = 16; // pushed, asked for or not
    CHECK(sent < 9 * groups_meanwhile + 4 * 2 * limits::edge_wants);
    auto const chunk = greed.bench.next_chunk();
    CHECK(greed.bench.publish_until([&] { return greed.bench.has_chunk(greed.viewer, chunk); }));
}

TEST_CASE("Wants of blocks that there are not are cut off without an answer") {
    Greed greed;
    auto const& run = greed.bench.parameters.run;
    StripeList const list{{0}, run, {{{1'000'000}, 0xffffffff}}};
    greed.attacker->flood(390, encode(WantMessage{list}));
    CHECK(greed.attacker->is_cut_off());
    CHECK(greed.attacker->blocks().empty());
}

TEST_CASE("Catch-up is sent at a bounded pace to one that subscribes again and again") {
    Greed greed{GENERATE(false, true)};
    std::uint8_t stripe = 0;
    auto const sent = greed.blocks_within([&] {
        SubscribeMessage request{{stripe}, {greed.bench.published - 20}, 0};
        request.is_home = request.is_relay = request.is_needy = request.has_uplink = true;
        stripe = static_cast<std::uint8_t>((stripe + 1) % 9);
        greed.attacker->say_now(UnsubscribeMessage{{stripe}});
        greed.attacker->say_now(request);
    });
    CHECK(sent > 0);
    // All stripes of these three seconds, and what was over before.
    CHECK(sent < 30 * 9 + 400);
}

TEST_CASE("A parent that accepts and sends nothing does not hold up the stream") {
    EdgeBench bench;
    auto& viewer = bench.follow(bench.source);
    auto const is_source = GENERATE(true, false);
    Impostor silent{bench, viewer.node, {.is_source = is_source, .session = {}}};
    auto const serve = [&] { // it promises more each moment, and takes whatever it can get
        silent.keep_promising();
        silent.accept();
        return silent.accepted() != 0 && viewer.node.channel().edge()->is_fed();
    };
    REQUIRE(bench.publish_until(serve));
    auto const chunk = bench.next_chunk();
    auto const before = bench.published;
    CHECK(bench.publish_until([&] {
        static_cast<void>(serve());
        return bench.has_chunk(viewer, chunk);
    }));
    CHECK(bench.published - before <= 3 * groups_per_chunk);
    CHECK_FALSE(silent.is_closed());
}

TEST_CASE("One session does not keep the source's slots from others that wait") {
    EdgeBench bench{2.4};
    Impostor hog{bench, bench.source};
    hog.promise_everything();
    REQUIRE(hog.be_child(9));
    auto& one = bench.follow(bench.source);
    auto& other = bench.follow(bench.source, one.node);
    auto const keep_up = [&] {
        hog.keep_promising();
        return one.node.channel().edge()->is_fed() && other.node.channel().edge()->is_fed();
    };
    REQUIRE(bench.publish_until(keep_up));
    auto const first = bench.next_chunk();
    CHECK(bench.publish_until([&] { // one that is whole: the uplink is short, and nobody repairs
        static_cast<void>(keep_up());
        for (auto chunk = first; chunk < bench.next_chunk(); chunk = chunk.next()) {
            if (bench.has_chunk(one, chunk) && bench.has_chunk(other, chunk)) return true;
        }
        return false;
    }));
    CHECK_FALSE(hog.is_closed());
}

TEST_CASE("Nor does one within its share keep a viewer that is alone with it from a narrow source"
) {
    EdgeBench bench{1.5}; // ten slots, of which a viewer needs eight
    Impostor hog{bench, bench.source};
    hog.promise_everything();
    REQUIRE(hog.be_child(3));
    auto& viewer = bench.follow(bench.source);
    auto const first = bench.next_chunk();
    CHECK(bench.publish_until([&] { // one that is whole: nobody else could repair it
        hog.keep_promising();
        for (auto chunk = first; chunk < bench.next_chunk(); chunk = chunk.next()) {
            if (bench.has_chunk(viewer, chunk)) return true;
        }
        return false;
    }));
    CHECK_FALSE(hog.is_closed());
}

TEST_CASE("A second connection of the same session is turned away, the first one stays") {
    EdgeBench bench;
    Impostor first{bench, bench.source};
    first.say(SubscribeMessage{{0}, {0}, 0, true, true, true, true});
    REQUIRE(bench.swarm.driver.until([&] { return first.heard<AcceptMessage>().size() == 1; }));
    Impostor second{bench, bench.source, {.is_source = false, .session = first.session()}};
    second.say(UnsubscribeMessage{{0}});
    CHECK(second.is_cut_off());
    first.settle();
    CHECK_FALSE(first.is_closed());
    CHECK(bench.source.channel().edge()->policy().used_slots() == 1);
    CHECK(bench.source.channel().edge()->policy().neighbours() == 1);
    CHECK(bench.source.channel().counters().strikes == 0);
}

TEST_CASE("Addresses that a parent names as its successors are dialled at a bounded pace") {
    Deceived attack;
    std::vector<std::unique_ptr<DialCounter>> named;
    for (int i = 0; i < 120; ++i)
        named.push_back(std::make_unique<DialCounter>(attack.bench.swarm.loop));
    std::uint32_t next = 0;
    auto const preempt = [&] {
        attack.impostor.accept();
        StripeIndex const stripe{static_cast<std::uint8_t>(next % 9)};
        auto const successor = named[next % named.size()]->endpoint();
        PreemptMessage const message{stripe, {1000 + next}, successor.address, successor.port};
        attack.impostor.say_now(message);
        ++next;
        return attack.impostor.is_closed();
    };
    attack.bench.swarm.driver.until(preempt, 4s);
    auto const dialled =
        std::ranges::count_if(named, [](auto const& one) { return one->dials() > 0; });
    CHECK(dialled >= 1);
    CHECK(dialled <= 10 + 4);
    attack.bench.swarm.driver.run([&] { named.clear(); });
}
