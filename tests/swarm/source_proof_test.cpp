#include "support/swarm_node.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

namespace {

/// A viewer, and a peer that says to it that it is the source.
struct Claim {
    explicit Claim(bool claims = true) {
        ChannelHandshake handshake;
        handshake.session = session;
        handshake.port = 6881;
        handshake.claims_source = claims;
        peer = swarm.connect(viewer, handshake);
        REQUIRE(swarm.driver.until([this] { return viewer.neighbours() == 1; }));
    }

    [[nodiscard]] SessionId const& receiver() const { return peer->node()->session; }
    void send(Signature const& proof) {
        swarm.driver.run([&] { peer->send(encode(ProofMessage{proof})); });
    }
    [[nodiscard]] bool is_believed() {
        auto const& neighbourhood = viewer.channel().neighbourhood();
        return neighbourhood.source() || std::ranges::any_of(neighbourhood.all(), [](auto& entry) {
                   return entry.second.is_source;
               });
    }
    [[nodiscard]] std::uint64_t strikes() { return viewer.channel().counters().strikes; }
    bool has_strikes(std::uint64_t count) {
        return swarm.driver.until([&] { return strikes() == count; });
    }

    TestSwarm swarm;
    SessionId session = random_id<SessionId>();
    SwarmNode& viewer{swarm.add_viewer()};
    std::shared_ptr<RawPeer> peer;
};

} // namespace

TEST_CASE("Who says that it is the source, and proves nothing, is not") {
    Claim claim;
    CHECK_FALSE(claim.is_believed());
    CHECK(claim.viewer.channel().redial_interval(MonotonicClock::now()) < 30s);
    CHECK(claim.strikes() == 0);
}

TEST_CASE("A proof that the channel signed for these two sessions makes its sender the source") {
    Claim claim;
    claim.send(prove_source(claim.swarm.key, claim.session, claim.receiver()));
    CHECK(claim.swarm.driver.until([&] { return claim.is_believed(); }));
    CHECK(claim.viewer.channel().neighbourhood().source()->port == 6881);
    claim.send(prove_source(claim.swarm.key, claim.session, claim.receiver()));
    auto const chunk = make_chunk(claim.swarm.key, 1, 1000);
    claim.swarm.driver.run([&] { claim.peer->send(encode(RecordsMessage{{chunk.statement}})); });
    CHECK(claim.swarm.driver.until([&] { return claim.viewer.records().contains({1}); }));
    CHECK(claim.strikes() == 0);
}

TEST_CASE("A proof that is another's, or by another key, is a strike and proves nothing") {
    Claim claim;
    auto const& key = claim.swarm.key;
    auto const other = random_id<SessionId>();
    claim.send(prove_source(key, claim.session, other)); // made for another receiver
    CHECK(claim.has_strikes(1));
    claim.send(prove_source(key, other, claim.receiver())); // made by another session
    CHECK(claim.has_strikes(2));
    CHECK_FALSE(claim.is_believed());
    claim.send(prove_source(ChannelKey::generate(), claim.session, claim.receiver()));
    CHECK(claim.has_strikes(3));
    CHECK(claim.swarm.driver.until([&] { return claim.peer->is_closed(); }));
    CHECK_FALSE(claim.is_believed());
}

TEST_CASE("A proof of one that did not claim to be the source is a strike") {
    Claim silent{false};
    silent.send(prove_source(silent.swarm.key, silent.session, silent.receiver()));
    CHECK(silent.has_strikes(1));
    CHECK_FALSE(silent.is_believed());
}

TEST_CASE("A source enters where its session is taken, and who took it has to go") {
    for (bool const claims : {false, true}) {
        Claim taken{claims};
        ChannelHandshake handshake;
        handshake.session = taken.session;
        handshake.port = 6882;
        handshake.claims_source = true;
        auto const source = taken.swarm.connect(taken.viewer, handshake);
        taken.swarm.prove(*source, taken.session);
        CHECK(taken.swarm.driver.until([&] { return taken.is_believed(); }));
        CHECK(taken.swarm.driver.until([&] { return taken.peer->is_closed(); }));
        CHECK_FALSE(source->is_closed());
        CHECK(taken.viewer.channel().neighbourhood().source()->port == 6882);
    }
}

TEST_CASE("A source proves itself to each neighbour, first of all") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    for (int i = 0; i < 2; ++i) {
        ChannelHandshake handshake;
        handshake.session = random_id<SessionId>();
        auto const peer = swarm.connect(source, handshake);
        REQUIRE(swarm.driver.until([&] { return peer->received().size() >= 2; }));
        CHECK(peer->node()->claims_source);
        auto const* proof = std::get_if<ProofMessage>(&peer->received().front());
        REQUIRE(proof);
        CHECK(is_source_proof(
            proof->signature, swarm.key.channel(), peer->node()->session, handshake.session
        ));
    }
}

TEST_CASE("Nobody but the source claims to be it") {
    TestSwarm swarm;
    for (auto const role : {TestSwarm::Role::viewer, TestSwarm::Role::seeder}) {
        auto const peer = swarm.connect(swarm.add({.role = role, .peers = {}}));
        REQUIRE(swarm.driver.until([&] { return !peer->received().empty(); }));
        CHECK_FALSE(peer->node()->claims_source);
        CHECK(std::ranges::none_of(peer->received(), [](Message const& message) {
            return std::holds_alternative<ProofMessage>(message);
        }));
    }
}

TEST_CASE("A viewer tells its source from those who claim to be it, before it came and after") {
    TestSwarm swarm;
    auto& viewer = swarm.add_viewer();
    auto const known = [&] { return viewer.channel().neighbourhood().source(); };
    auto const claim = [&](std::uint16_t port) {
        ChannelHandshake handshake;
        handshake.claims_source = true;
        handshake.port = port;
        auto const before = viewer.neighbours();
        swarm.connect(viewer, handshake);
        return swarm.driver.until([&] { return viewer.neighbours() > before; });
    };
    REQUIRE(claim(6881));
    CHECK_FALSE(known());
    auto& source = swarm.add({.role = TestSwarm::Role::source, .peers = {viewer.address()}});
    CHECK(swarm.driver.until([&] { return known() && known()->port == source.port(); }));
    REQUIRE(claim(6882));
    CHECK(known()->port == source.port());
}
