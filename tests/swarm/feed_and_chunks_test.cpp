#include "support/swarm_node.hpp"
#include "swarm/libtorrent_access.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

bool has_bytes(TestSwarm& swarm, SwarmNode& node, TestChunk const& chunk) {
    SharedBytes got;
    swarm.driver.run([&] {
        node.store().read(
            node.key_of(chunk.id()),
            0,
            chunk.bytes->size(),
            [&](DiskError, SharedBytes bytes) { got = std::move(bytes); }
        );
    });
    return swarm.driver.until([&] { return got != nullptr; }) && *got == *chunk.bytes;
}

PeerEndpoint endpoint_of(SwarmNode const& node) {
    return from_endpoint({boost::asio::ip::address_v4::loopback(), node.port()});
}

} // namespace

TEST_CASE("A viewer gets records and bytes of chunks as they are published") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto& viewer = swarm.add_viewer(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    for (std::uint64_t number = 1; number <= 3; ++number) {
        auto const chunk = make_chunk(swarm.key, number);
        swarm.driver.run([&] { source.publish(chunk, 2); });
        REQUIRE(swarm.driver.until([&] { return viewer.is_complete(chunk); }));
        CHECK(has_bytes(swarm, viewer, chunk));
    }
    CHECK(viewer.records().size() == 3);
    CHECK(source.channel().counters().strikes == 0);
    CHECK(viewer.channel().counters().strikes == 0);
}

TEST_CASE("The feed reaches a viewer that knows other viewers only") {
    TestSwarm swarm;
    auto& middle = swarm.add_viewer();
    // A source that listens nowhere: nobody can go around the viewer in the middle.
    auto const source = swarm.connect_source(middle);
    auto& far = swarm.add_viewer(middle);
    REQUIRE(swarm.driver.until([&] { return middle.neighbours() == 2; }));
    for (std::uint64_t number = 1; number <= 5; ++number) {
        auto const chunk = make_chunk(swarm.key, number);
        swarm.driver.run([&] { source->send(encode(RecordsMessage{{chunk.statement}})); });
        REQUIRE(swarm.driver.until([&] { return far.records().contains({number}); }));
    }
    CHECK(far.neighbours() == 1);
}

TEST_CASE("Neighbours say no more of themselves than a swarm without pieces needs") {
    auto const announced = [](std::uint64_t uplink) {
        TestSwarm swarm;
        auto& node = swarm.add({.peers = {}, .uplink = uplink});
        auto const peer = swarm.connect(node);
        REQUIRE(swarm.driver.until([&] { return peer->is_open(); }));
        return peer->extensions();
    };
    std::set<std::string> needed{"ms_channel", "ut_holepunch"};
    CHECK(announced(56'000) == needed);
    needed.insert("ut_pex"); // whoever has the uplink introduces others
    CHECK(announced(1'000'000) == needed);
}

TEST_CASE("A neighbour is not sent what it says to know") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto const publish = [&](std::uint64_t number) {
        auto const statement = make_chunk(swarm.key, number, 1000).statement;
        swarm.driver.run([&] { source.channel().publish(statement, test_event); });
        return statement;
    };
    publish(1);
    auto const second = publish(2);
    auto const come = [&](std::uint64_t known) {
        ChannelHandshake hello;
        hello.known = ChannelHandshake::Known{test_event, {known}, 0, false};
        auto const peer = swarm.connect(source, hello);
        REQUIRE(swarm.driver.until([&] { return peer->node().has_value(); }));
        CHECK(peer->node()->known == ChannelHandshake::Known{test_event, {2}, 0, false});
        return peer;
    };
    auto const knows_all = come(2);
    auto const knows_less = come(1);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 2; }));
    swarm.driver.run([&] { knows_less->send(encode(GetRecordsMessage{{}, {}, {2}, 1})); });
    auto const third = publish(3);
    auto const have_come = [&](auto const& peer, std::vector<Statement> wanted) {
        return swarm.driver.until([&] {
            auto const come_so_far = peer->statements();
            return std::ranges::is_permutation(come_so_far, wanted);
        });
    };
    CHECK(have_come(knows_all, {third}));
    CHECK(have_come(knows_less, {second, third}));
}

TEST_CASE("A newcomer asks one of its neighbours for what it lacks, and another if it is silent") {
    TestSwarm swarm;
    auto& newcomer = swarm.add_viewer();
    ChannelHandshake hello;
    hello.known = ChannelHandshake::Known{test_event, {7}, 1, false};
    std::vector<std::shared_ptr<RawPeer>> peers;
    for (int i = 0; i < 4; ++i)
        peers.push_back(swarm.connect(newcomer, hello));
    auto const asked = [&](GetRecordsMessage const& wanted) {
        std::size_t found = 0;
        for (auto const& peer : peers) {
            for (auto const& message : peer->received()) {
                auto const* request = std::get_if<GetRecordsMessage>(&message);
                if (request && *request == wanted) ++found;
            }
        }
        return found;
    };
    GetRecordsMessage const poll{{}, {}, {1}, 8}; // when nobody has answered for a second
    REQUIRE(swarm.driver.until([&] { return newcomer.neighbours() == 4 && asked(poll) > 0; }));
    CHECK(asked({{}, {}, {7}, 1}) == 1);
}

TEST_CASE("A source asks what a neighbour knows of its channel that it did not publish") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto const own = make_chunk(swarm.key, 1, 1000).statement;
    swarm.driver.run([&] { source.channel().publish(own, test_event); });
    ChannelHandshake hello;
    hello.known = ChannelHandshake::Known{test_event, {7}, 0, false};
    auto const peer = swarm.connect(source, hello);
    CHECK(swarm.driver.until([&] {
        auto const& received = peer->received();
        return std::ranges::find(received, Message{GetRecordsMessage{{}, {}, {7}, 1}}) !=
               received.end();
    }));
}

TEST_CASE("A joiner pulls the records it missed") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    swarm.driver.run([&] {
        for (std::uint64_t number = 1; number <= 200; ++number) {
            source.channel().publish(make_chunk(swarm.key, number, 1000).statement, test_event);
        }
    });
    auto& viewer = swarm.add({.peers = {source.address()}, .fetches = false});
    REQUIRE(swarm.driver.until([&] { return !viewer.records().empty(); }));
    swarm.driver.run([&] { viewer.channel().set_interest({1}); });
    CHECK(swarm.driver.until([&] { return viewer.records().size() == 200; }));
    CHECK(viewer.channel().counters().strikes == 0);
    CHECK(source.channel().counters().strikes == 0);
}

TEST_CASE("A chunk completes from a peer that is not the source, and the source may be gone") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto& first = swarm.add_viewer(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    auto const chunk = make_chunk(swarm.key, 1);
    swarm.driver.run([&] { source.publish(chunk, 1); });
    REQUIRE(swarm.driver.until([&] { return first.is_complete(chunk); }));
    swarm.driver.run([&] { source.stop(); });
    REQUIRE(swarm.driver.until([&] { return first.neighbours() == 0; }));

    // Joiners ask those who hold it: what a viewer tells when it joins and in its handshake.
    auto& late = swarm.add_viewer(first);
    REQUIRE(swarm.driver.until([&] { return late.is_complete(chunk); }));
    CHECK(has_bytes(swarm, late, chunk));
    CHECK(first.given() >= chunk.record.size);
}

TEST_CASE("Viewers of a chunk give each other payload while one copy leaves the source") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    std::vector<SwarmNode*> viewers;
    for (int i = 0; i < 5; ++i)
        viewers.push_back(&swarm.add_viewer(source));
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 5; }));
    REQUIRE(swarm.driver.until([&] {
        return std::all_of(viewers.begin(), viewers.end(), [](auto* viewer) {
            return viewer->neighbours() == 5;
        });
    }));
    std::uint64_t published = 0;
    for (std::uint64_t number = 1; number <= 5; ++number) {
        auto const chunk = make_chunk(swarm.key, number, limits::MiB);
        published += chunk.record.size;
        swarm.driver.run([&] { source.publish(chunk, 1); });
        for (auto* viewer : viewers) {
            REQUIRE(swarm.driver.until([&] { return viewer->is_complete(chunk); }));
            REQUIRE(has_bytes(swarm, *viewer, chunk));
        }
    }
    // A mesh, no star and no chain: the five copies come from the viewers for the greater part,
    // each of them gives, and most pairs of them have dealt with each other.
    std::uint64_t from_viewers = 0;
    std::set<std::set<PeerEndpoint>> pairs;
    for (auto* viewer : viewers) {
        CHECK(viewer->given() > 0);
        from_viewers += viewer->given();
        for (auto const* other : viewers) {
            auto const endpoint = endpoint_of(*other);
            auto const found = viewer->swarm().traffic().find(endpoint);
            if (found != viewer->swarm().traffic().end() && found->second.up > 0)
                pairs.insert({endpoint_of(*viewer), endpoint});
        }
    }
    CAPTURE(published, from_viewers, source.given(), pairs.size());
    CHECK(source.given() >= published);
    CHECK(source.given() < 5 * published / 2);
    CHECK(from_viewers > 5 * published / 2);
    CHECK(pairs.size() >= 5);
}

TEST_CASE("A node that holds a chunk serves it to one that asks later") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto const chunk = make_chunk(swarm.key, 1);
    swarm.driver.run([&] {
        source.serve(chunk, chunk.bytes);
        auto const key = source.key_of(chunk.id());
        source.swarm().chunks().remove(key);
        source.swarm().chunks().hold(key, chunk.record);
        source.channel().publish(chunk.statement, test_event);
    });
    auto& viewer = swarm.add_viewer(source);
    CHECK(swarm.driver.until([&] { return viewer.is_complete(chunk); }));
    CHECK(has_bytes(swarm, viewer, chunk));
}
