#include "support/dial_counter.hpp"
#include "support/swarm_node.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

namespace {

/// A viewer under attack, and a neighbour of it that notes everything it is sent.
struct Attack {
    Attack()
        : victim(swarm.add({.peers = {}, .fetches = false}))
        , witness(swarm.connect(victim))
        , attacker(swarm.connect(victim)) {
        REQUIRE(swarm.driver.until([this] { return victim.neighbours() == 2; }));
    }

    void send(Bytes const& message) {
        swarm.driver.run([&] { attacker->send(message); });
    }
    void send(Statement const& statement) { send(encode(RecordsMessage{{statement}})); }

    /// Sends a genuine record by the attacker and waits until the witness has it: all that the
    /// attacker sent before has been handled by then.
    void flush(std::uint64_t number) {
        auto const genuine = make_chunk(swarm.key, number, 1000).statement;
        send(genuine);
        REQUIRE(swarm.driver.until([&] {
            auto const got = witness->statements();
            return std::find(got.begin(), got.end(), genuine) != got.end();
        }));
    }
    std::uint64_t strikes() { return victim.channel().counters().strikes; }
    std::uint64_t bad_signatures() { return victim.channel().counters().bad_signature; }
    std::size_t bans() { return victim.channel().neighbourhood().bans().count(); }
    bool is_out() {
        return swarm.driver.until([this] {
            return attacker->is_closed() && victim.neighbours() == 1;
        });
    }

    TestSwarm swarm;
    SwarmNode& victim;
    std::shared_ptr<RawPeer> witness;
    std::shared_ptr<RawPeer> attacker;
};

Statement forged(ChannelKey const& key, std::uint64_t number) {
    auto statement = make_chunk(key, number, 1000).statement;
    statement.wire[5] ^= 1; // in the signature
    return statement;
}

} // namespace

TEST_CASE("A forged record is a strike, counted, and goes nowhere") {
    Attack attack;
    attack.send(forged(attack.swarm.key, 9));
    attack.flush(1);
    CHECK(attack.bad_signatures() == 1);
    CHECK(attack.strikes() == 1);
    CHECK_FALSE(attack.victim.records().contains({9}));
    CHECK(attack.witness->statements().size() == 1); // the genuine one
}

TEST_CASE("A record whose content was altered is refused, also as a copy of one known") {
    Attack attack;
    attack.flush(1);
    auto altered = make_chunk(attack.swarm.key, 1, 1000).statement;
    altered.wire.back() = 'x';
    attack.send(altered);
    auto other = make_chunk(attack.swarm.key, 1, 2000).statement; // signed, but the number is taken
    attack.send(other);
    attack.flush(2);
    CHECK(attack.bad_signatures() == 2);
    CHECK(attack.victim.records().at({1}).size == 1000);
    CHECK(attack.witness->statements().size() == 2);
}

TEST_CASE("A record of another channel is a strike and goes nowhere") {
    Attack attack;
    attack.send(make_chunk(ChannelKey::generate(), 1).statement);
    attack.flush(2);
    CHECK(attack.bad_signatures() == 1);
    CHECK_FALSE(attack.victim.records().contains({1}));
    CHECK(attack.witness->statements().size() == 1);
}

TEST_CASE("Three forged records ban their sender, who is shut out from then on") {
    ChannelHandshake hello;
    hello.session = random_id<SessionId>();
    TestSwarm swarm;
    auto& victim = swarm.add({.peers = {}, .fetches = false});
    auto const attacker = swarm.connect(victim, hello);
    REQUIRE(swarm.driver.until([&] { return victim.neighbours() == 1; }));
    swarm.driver.run([&] {
        attacker->send(encode(RecordsMessage{
            {forged(swarm.key, 1),
             forged(swarm.key, 2),
             forged(swarm.key, 3),
             forged(swarm.key, 4)}}));
    });
    REQUIRE(swarm.driver.until([&] { return attacker->is_closed(); }));
    CHECK(victim.channel().counters().bad_signature == 3);
    CHECK(victim.channel().neighbourhood().bans().count() == 1);
    CHECK(victim.neighbours() == 0);

    auto const again = swarm.connect(victim, hello);
    CHECK(swarm.driver.until([&] { return again->is_closed(); }));
    auto const other = swarm.connect(victim); // another behind the same, private, address
    CHECK(swarm.driver.until([&] { return victim.neighbours() == 1; }));
    CHECK_FALSE(other->is_closed());
}

TEST_CASE("Records of an older event are neither followed nor passed on") {
    Attack attack;
    attack.flush(1);
    EventId const older{test_event.value - 1};
    for (std::uint64_t number = 1; number <= 10; ++number)
        attack.send(make_chunk(attack.swarm.key, number, 1000, older).statement);
    attack.flush(2);
    CHECK(attack.victim.channel().newest_feed()->event() == test_event);
    CHECK(attack.victim.records().size() == 2);
    CHECK(attack.witness->statements().size() == 2);
    CHECK(attack.strikes() == 0); // genuine: an honest node may not know better
}

TEST_CASE("Replayed statements are not passed on again") {
    Attack attack;
    attack.flush(1);
    auto const known = make_chunk(attack.swarm.key, 1, 1000).statement;
    for (int i = 0; i < 20; ++i)
        attack.send(known);
    attack.flush(2);
    CHECK(attack.witness->statements().size() == 2);
}

TEST_CASE("Malformed messages are strikes; the third one bans") {
    auto const bad = GENERATE(
        Bytes{},                                         // empty
        Bytes{2, 0},                                     // get_records, cut
        Bytes{3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, // have, cut
        Bytes{4, 33},                                    // peers, too many
        Bytes{1, 2, 0xff, 0xff, 0xff, 0xff}              // records, a frame without an end
    );
    Attack attack;
    attack.send(bad);
    attack.send(bad);
    attack.flush(1);
    CHECK(attack.strikes() == 2);
    CHECK(attack.bans() == 0);
    attack.send(bad);
    CHECK(attack.is_out());
    CHECK(attack.strikes() == 3);
    CHECK(attack.bans() == 1);
    CHECK(attack.bad_signatures() == 0);
}

TEST_CASE("A second handshake does not wipe out strikes") {
    Attack attack;
    auto const another = [] {
        ChannelHandshake hello;
        hello.session = random_id<SessionId>();
        return encode(hello);
    };
    for (int i = 0; i < 3; ++i) {
        attack.swarm.driver.run([&] {
            attack.attacker->send(Bytes{2, 0});
            attack.attacker->send_extension_handshake(another());
        });
    }
    CHECK(attack.is_out());
    CHECK(attack.bans() == 1);
}

TEST_CASE("Messages of unknown types are ignored") {
    Attack attack;
    for (int i = 0; i < 10; ++i)
        attack.send(Bytes{200, 1, 2, 3});
    attack.flush(1);
    CHECK(attack.strikes() == 0);
}

TEST_CASE("A message beyond the limit closes the connection") {
    Attack attack;
    attack.send(Bytes(limits::message_size + 100, 200));
    CHECK(attack.is_out());
    CHECK(attack.victim.records().empty());
}

TEST_CASE("A flood of messages is cut off") {
    Attack attack;
    Bytes const request = encode(GetRecordsMessage{{0}, {0}, {1}, 64});
    attack.swarm.driver.run([&] {
        for (int i = 0; i < 2000; ++i)
            attack.attacker->send(request);
    });
    CHECK(attack.is_out());
    CHECK(attack.bans() == 1);
}

TEST_CASE("A neighbour that asks for the same records again and again gets a bounded number") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    swarm.driver.run([&] {
        for (std::uint64_t number = 1; number <= 64; ++number) {
            source.channel().publish(make_chunk(swarm.key, number, 1000).statement, test_event);
        }
    });
    auto const greedy = swarm.connect(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    swarm.driver.run([&] {
        for (int i = 0; i < 300; ++i) // 19,200 records; as many messages as are allowed at once
            greedy->send(encode(GetRecordsMessage{{0}, {0}, {1}, 64}));
        greedy->send(encode(GetPeersMessage{}));
    });
    auto const peers = [&] {
        auto const& all = greedy->received();
        return std::count_if(all.begin(), all.end(), [](auto const& message) {
            return std::holds_alternative<PeersMessage>(message);
        });
    };
    REQUIRE(swarm.driver.until([&] { return peers() == 2; })); // on connecting, and the answer
    CHECK(source.channel().counters().strikes == 0);
    CHECK(greedy->statements().size() >= limits::feed_window);
    CHECK(greedy->statements().size() < 3 * limits::feed_window);
}

TEST_CASE("A neighbour that asks and never reads is let go before much waits for it") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    swarm.driver.run([&] {
        for (std::uint64_t number = 1; number <= 64; ++number) {
            source.channel().publish(
                make_chunk(swarm.key, number, limits::MiB).statement, test_event
            );
        }
    });
    auto const greedy = swarm.connect(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    Bytes const request = encode(GetRecordsMessage{{0}, {0}, {1}, 64});
    swarm.driver.run([&] { greedy->stop_reading(); });
    // At the pace that is allowed: what is asked for is more than sockets hold.
    CHECK(swarm.driver.until([&] {
        for (int i = 0; i < 2 && !greedy->is_closed(); ++i)
            greedy->send(request);
        return source.neighbours() == 0;
    }));
    CHECK(source.channel().counters().strikes == 0);
    CHECK(source.channel().counters().bytes_sent < 16 * limits::MiB);
}

TEST_CASE("A genuine record far ahead takes no memory and hides no record before it") {
    Attack attack;
    attack.flush(1);
    constexpr std::uint64_t far = std::uint64_t{1} << 61;
    attack.send(make_chunk(attack.swarm.key, far, 1000).statement);
    attack.flush(2);
    CHECK(attack.victim.records().contains({2}));
    auto const* feed = attack.victim.channel().newest_feed();
    CHECK(feed->find({0}, {2}) != nullptr);
    attack.swarm.driver.run([&] { attack.victim.channel().set_interest({1}); });
    attack.flush(3); // pulls of holes go on, in bounded pieces
    CHECK(attack.strikes() == 0);
}

TEST_CASE("A peer of a later protocol is told of and let go") {
    TestSwarm swarm;
    auto& victim = swarm.add({.peers = {}, .fetches = false});
    auto const peer = swarm.connect(victim, as_bytes("d1:vi2ee"));
    CHECK(swarm.driver.until([&] { return peer->is_closed(); }));
    CHECK(victim.newer_protocols() == 1);
    CHECK(victim.neighbours() == 0);
}

TEST_CASE("A peer whose handshake makes no sense is let go") {
    auto const handshake = GENERATE("", "d", "le", "d2:id8:ABCDEFGH1:pi1ee", "d1:vi0ee");
    TestSwarm swarm;
    auto& victim = swarm.add({.peers = {}, .fetches = false});
    auto const peer = swarm.connect(victim, as_bytes(handshake));
    CHECK(swarm.driver.until([&] { return peer->is_closed(); }));
    CHECK(victim.neighbours() == 0);
}

TEST_CASE("Addresses from a peer are dialled at a bounded pace") {
    Attack attack;
    std::vector<std::unique_ptr<DialCounter>> named;
    PeersMessage message;
    for (std::size_t i = 0; i < limits::peers_per_message; ++i) {
        named.push_back(std::make_unique<DialCounter>(attack.swarm.loop));
        message.peers.push_back({named.back()->endpoint(), 0});
    }
    auto const dialled = [&] {
        return std::count_if(named.begin(), named.end(), [](auto const& listener) {
            return listener->dials() > 0;
        });
    };
    auto const start = MonotonicClock::now();
    for (int i = 0; i < 50; ++i)
        attack.send(encode(message));
    attack.flush(1);
    auto const at_once = dialled();
    auto const ticks = (MonotonicClock::now() - start) / 250ms;
    CHECK(at_once <= 8 * (2 + ticks));
    CHECK(attack.swarm.driver.until([&] { return dialled() > 8; })); // the others' turn comes
    CHECK(attack.strikes() == 0);
    attack.swarm.driver.run([&] { named.clear(); });
}

TEST_CASE("A source that sees a genuine record it never made reports another publisher") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    swarm.driver.run([&] {
        source.channel().publish(make_chunk(swarm.key, 1, 1000).statement, test_event);
    });
    auto const peer = swarm.connect(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    swarm.driver.run([&] {
        peer->send(encode(RecordsMessage{{make_chunk(swarm.key, 1, 1000).statement}}));
        peer->send(encode(RecordsMessage{{make_chunk(swarm.key, 2, 1000).statement}}));
    });
    CHECK(swarm.driver.until([&] { return source.foreign_runs() == 1; }));
}

TEST_CASE("Wrong bytes of a chunk are never verified, and an honest peer completes it") {
    TestSwarm swarm;
    auto& honest = swarm.add_source();
    auto& liar = swarm.add_viewer(honest);
    auto& viewer = swarm.add_viewer(liar, honest);
    REQUIRE(swarm.driver.until([&] { return viewer.neighbours() == 2; }));
    auto const chunk = make_chunk(swarm.key, 1);
    auto const lie = std::make_shared<Bytes const>(chunk.bytes->size(), std::uint8_t{7});
    swarm.driver.run([&] {
        liar.serve(chunk, lie);
        liar.channel().announce_complete(chunk.id(), 9);
    });
    REQUIRE(swarm.driver.until([&] {
        // The record comes later than the announcement: the liar is whom the viewer asks first.
        return viewer.channel().neighbourhood().holders(chunk.id(), true).size() == 2;
    }));
    swarm.driver.run([&] { honest.channel().publish(chunk.statement, test_event); });
    auto const is_caught = [&] { return viewer.channel().neighbourhood().bans().count() == 1; };
    auto const is_clean = [&] {
        return viewer.store().verified(viewer.key_of(chunk.id())).total() == 0;
    };
    REQUIRE(swarm.driver.until([&] { return is_caught() || !is_clean(); }));
    CHECK(is_clean());
    CHECK(is_caught());

    swarm.driver.run([&] { honest.publish(chunk, 2); });
    REQUIRE(swarm.driver.until([&] { return viewer.is_complete(chunk); }));
    SharedBytes got;
    swarm.driver.run([&] {
        viewer.store().read(
            viewer.key_of(chunk.id()),
            0,
            chunk.bytes->size(),
            [&](DiskError, SharedBytes bytes) { got = std::move(bytes); }
        );
    });
    REQUIRE(swarm.driver.until([&] { return got != nullptr; }));
    CHECK((*got == *chunk.bytes));
}
