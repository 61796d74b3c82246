#include "support/dial_counter.hpp"
#include "support/edge_bench.hpp"
#include "support/impostor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

TEST_CASE("The live edge reaches every viewer, also those that know other viewers only") {
    EdgeBench bench;
    auto& first = bench.follow(bench.source);
    auto& second = bench.follow(first.node);
    bench.follow(second.node);
    bench.follow(second.node, first.node);
    REQUIRE(bench.publish_until([&] {
        return std::ranges::all_of(bench.followers, [](auto const& follower) {
            return follower->node.channel().edge()->is_fed();
        });
    }));
    auto const chunk = bench.next_chunk();
    CHECK(bench.publish_until([&] { return bench.all_have_chunk(chunk); }));
    for (auto const& follower : bench.followers)
        CHECK(follower->node.channel().counters().strikes == 0);
    auto const& counters = first.node.channel().edge()->counters();
    CHECK(counters.forged == 0);
    CHECK(counters.unexpected == 0);
}

TEST_CASE("When a parent goes, those it fed miss nothing") {
    EdgeBench bench;
    auto& parent = bench.follow(bench.source);
    auto& one = bench.follow(parent.node, bench.source);
    auto& other = bench.follow(parent.node, bench.source);
    REQUIRE(bench.publish_until([&] {
        return one.node.channel().edge()->is_fed() && other.node.channel().edge()->is_fed();
    }));
    auto const chunk = bench.next_chunk();
    REQUIRE(bench.publish_until([&] { return one.reached(chunk, {0}) > 4 * group_size; }));
    bench.swarm.driver.run([&] { parent.node.stop(); });
    CHECK(bench.publish_until([&] {
        return bench.has_chunk(one, chunk) && bench.has_chunk(other, chunk);
    }));
}

TEST_CASE("Blocks that nobody asked for are not taken, and cost their sender the connection") {
    EdgeBench bench;
    auto& viewer = bench.follow();
    ChannelHandshake handshake;
    handshake.has_edge = true;
    auto const peer = bench.swarm.connect(viewer.node, handshake);
    auto const group = bench.make_group();
    ParityCode const code{8, 1};
    auto const blocks = stripe_group(group, code, bench.swarm.key); // genuine ones
    for (int i = 0; i < 120; ++i) {
        auto block = blocks[static_cast<std::size_t>(i) % blocks.size()];
        block.path = {source_node(bench.parameters.run)};
        bench.swarm.driver.run([&] { peer->send(encode(message_of(block))); });
    }
    CHECK(bench.swarm.driver.until([&] { return peer->is_closed(); }));
    CHECK(viewer.bytes.empty());
    CHECK(viewer.node.channel().edge()->counters().unexpected >= 100);
}

TEST_CASE("A viewer whose home has no parent dials the source that it knew, not who claims to be it"
) {
    EdgeBench bench;
    auto& viewer = bench.follow();
    DialCounter listening{bench.swarm.loop};
    ChannelHandshake handshake;
    handshake.has_edge = true;
    handshake.port = listening.endpoint().port;
    auto const source = bench.swarm.connect_source(viewer.node, handshake);
    REQUIRE(bench.swarm.driver.until([&] {
        return viewer.node.channel().neighbourhood().source() == listening.endpoint();
    }));
    DialCounter elsewhere{bench.swarm.loop};
    ChannelHandshake claim;
    claim.claims_source = true;
    claim.port = elsewhere.endpoint().port;
    bench.swarm.connect(viewer.node, claim);
    Impostor other{bench, viewer.node}; // promises and sends nothing
    other.promise_everything();
    bench.swarm.driver.run([&] { source->close(); });
    CHECK(bench.swarm.driver.until([&] { return listening.dials() > 0; }));
    CHECK(elsewhere.dials() == 0);
}

TEST_CASE("Who knows only peers that do not answer asks for others when each was dialled once") {
    EdgeBench bench;
    auto& viewer = bench.follow();
    std::deque<DialCounter> deaf;
    PeersMessage names;
    for (int i = 0; i < 5; ++i)
        names.peers.push_back({deaf.emplace_back(bench.swarm.loop).endpoint(), ~StripeMask{0}});
    ChannelHandshake handshake;
    handshake.has_edge = true;
    auto const peer = bench.swarm.connect(viewer.node, handshake);
    bench.swarm.driver.run([&] { peer->send(encode(names)); });
    REQUIRE(bench.swarm.driver.until([&] {
        return std::ranges::any_of(peer->received(), [](auto const& message) {
            return std::holds_alternative<GetPeersMessage>(message);
        });
    }));
    for (auto const& one : deaf)
        CHECK(one.dials() <= 2);
}

TEST_CASE("Who claims to be the source has no part in the live edge before it has proven it") {
    EdgeBench bench;
    auto& viewer = bench.follow();
    auto const members = [&] { return viewer.node.channel().edge()->policy().neighbours(); };
    ChannelHandshake claim;
    claim.session = random_id<SessionId>();
    claim.has_edge = true;
    claim.claims_source = true;
    auto const source = bench.swarm.connect(viewer.node, claim);
    Impostor const ordinary{bench, viewer.node}; // came after it
    REQUIRE(bench.swarm.driver.until([&] { return viewer.node.neighbours() == 2; }));
    CHECK(members() == 1);
    bench.swarm.prove(*source, claim.session);
    CHECK(bench.swarm.driver.until([&] { return members() == 2; }));
}

TEST_CASE("A source that proved itself before the live edge began is its source") {
    EdgeBench bench;
    auto& viewer = bench.swarm.add_viewer();
    ChannelHandshake handshake;
    handshake.has_edge = true;
    bench.swarm.connect_source(viewer, handshake);
    REQUIRE(bench.swarm.driver.until([&] {
        return viewer.channel().neighbourhood().source().has_value();
    }));
    bench.begin(viewer, [](GroupHeader const&, std::vector<EdgeBytes> const&) {});
    CHECK(viewer.channel().edge()->policy().neighbours() == 1);
}

TEST_CASE("Forged blocks of an accepted parent are not taken, and ban it") {
    EdgeBench bench;
    auto& viewer = bench.follow();
    ChannelHandshake handshake;
    handshake.has_edge = true;
    auto const liar = bench.swarm.connect_source(viewer.node, handshake);
    auto const node = source_node(bench.parameters.run);
    auto const send = [&](SubscriptionMessage message) {
        bench.swarm.driver.run([&] { liar->send(encode(SubscriptionEnvelope{node, message})); });
    };
    AdvertMessage advert;
    advert.newest = {10};
    advert.slots = advert.spare = 40;
    for (StripeIndex stripe; stripe.value < 9; ++stripe)
        advert.stripes.push_back({stripe, true, true, true, 0, 0, 0, 0ms});
    send(advert);
    auto const subscribed = [&] {
        return std::ranges::count_if(liar->received(), [](Message const& message) {
            auto const* envelope = std::get_if<SubscriptionEnvelope>(&message);
            return envelope && std::holds_alternative<SubscribeMessage>(envelope->message);
        });
    };
    REQUIRE(bench.swarm.driver.until([&] { return subscribed() >= 3; }));
    ParityCode const code{8, 1};
    auto blocks = stripe_group(bench.make_group(), code, ChannelKey::generate());
    for (auto const& message : liar->received()) {
        auto const* envelope = std::get_if<SubscriptionEnvelope>(&message);
        if (!envelope) continue;
        auto const* subscribe = std::get_if<SubscribeMessage>(&envelope->message);
        if (!subscribe) continue;
        NodePath path;
        path.append(node);
        send(AcceptMessage{subscribe->stripe, path, {}});
        auto block = blocks[subscribe->stripe.value];
        block.path = {node};
        bench.swarm.driver.run([&] { liar->send(encode(message_of(block))); });
    }
    CHECK(bench.swarm.driver.until([&] { return liar->is_closed(); }));
    CHECK(viewer.bytes.empty());
    CHECK(viewer.node.channel().edge()->counters().forged >= limits::strikes);
}

TEST_CASE("A record that the live edge does not bring is asked of those who announced its chunk") {
    EdgeBench bench;
    auto& viewer = bench.follow(bench.source);
    REQUIRE(bench.publish_until([&] { return viewer.node.channel().edge()->is_fed(); }));
    auto const chunk = make_chunk(bench.swarm.key, 1);
    bench.swarm.driver.run([&] { bench.source.publish(chunk, 0); });
    REQUIRE(bench.publish_until([&] { return viewer.node.records().contains({1}); }));

    // The source, its only parent, keeps the second record to itself.
    auto const peer = bench.swarm.connect(viewer.node);
    HaveMessage const have{test_event, {0}, {2}, HaveMessage::State::complete};
    bench.swarm.driver.run([&] { peer->send(encode(have)); });
    auto const asked = [&] {
        return std::ranges::any_of(peer->received(), [](Message const& message) {
            auto const* request = std::get_if<GetRecordsMessage>(&message);
            return request && request->first == ChunkNumber{2} && request->count == 1;
        });
    };
    REQUIRE(bench.publish_until(asked));
    auto const second = make_chunk(bench.swarm.key, 2);
    bench.swarm.driver.run([&] { peer->send(encode(RecordsMessage{{second.statement}})); });
    CHECK(bench.publish_until([&] { return viewer.node.records().contains({2}); }));
}
