#include "support/impostor.hpp"

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

// What a node does with more to send than its uplink carries, and what its blocks say of it.

namespace {

constexpr std::size_t block_size = group_size / 8 + block_overhead;
constexpr std::uint64_t held_back = 40;                // groups that wait for the uplink at first
constexpr auto of_uplink = 2 * EdgeBench::bitrate / 8; // bytes per second of the source

/// A source that has more to send than its uplink carries, and a child of one of its stripes; a
/// plain neighbour, not an impostor.
struct Saturated {
    Saturated()
        : bench(2)
        , child(bench, bench.source) {
        REQUIRE(child.be_child(8));
        publish(held_back);
    }
    void publish(std::uint64_t groups) {
        bench.swarm.driver.run([&] {
            for (std::uint64_t i = 0; i < groups; ++i)
                bench.source.channel().edge()->publish(bench.make_group(), bench.swarm.key);
        });
    }

    EdgeBench bench;
    Impostor child;
};

} // namespace

TEST_CASE("Control overtakes the blocks that wait for the uplink, all but 50 ms of them") {
    Saturated full;
    REQUIRE(full.bench.swarm.driver.until([&] { return full.child.blocks().size() > 20; }));
    // An answer may take two round trips, which are nothing here, and 50 ms, in which the uplink
    // sends so much. A busy machine makes single answers wait for more of it.
    constexpr auto most_bytes = of_uplink * 50 / 1000;
    std::vector<std::size_t> bytes_before_answer;
    for (std::size_t i = 0; i < 9; ++i) {
        auto const before = full.child.blocks().size();
        full.child.say(SubscribeMessage{{8}, {0}, 0, true, true, true, true});
        REQUIRE(full.bench.swarm.driver.until([&] {
            return full.child.heard<AcceptMessage>().size() == 9 + i;
        }));
        auto const blocks = full.child.blocks_before_last<AcceptMessage>() - before;
        bytes_before_answer.push_back(blocks * block_size);
    }
    CAPTURE(bytes_before_answer);
    std::ranges::nth_element(bytes_before_answer, bytes_before_answer.begin() + 4);
    CHECK(bytes_before_answer[4] < most_bytes);
    CHECK(std::ranges::max(bytes_before_answer) < held_back * 8 * block_size / 4);
    // All the while far more than that waited.
    CHECK(full.child.distinct() < held_back * 8 / 2);
}

TEST_CASE("A neighbour that stops reading does not delay the others") {
    EdgeBench bench;
    Impostor deaf{bench, bench.source};
    REQUIRE(deaf.be_child(9));
    auto& viewer = bench.follow(bench.source);
    REQUIRE(bench.publish_until([&] { return viewer.node.channel().edge()->is_fed(); }));
    deaf.stop_reading();
    auto const before = bench.published; // a megabyte, which neither its sockets nor its queue hold
    REQUIRE(bench.publish_until([&] {
        deaf.keep_promising(); // who is silent is let go
        return bench.published >= before + 60;
    }));
    auto const chunk = bench.next_chunk();
    CHECK(bench.publish_until([&] {
        deaf.keep_promising();
        return bench.has_chunk(viewer, chunk);
    }));
    CHECK(bench.source.channel().edge()->policy().used_slots() > 9); // it is a child still
    // The last of its groups has just been published.
    CHECK(bench.published <= chunk.value * groups_per_chunk + 2);
}

TEST_CASE("A child that reads nothing takes no slot from the other children of its parent") {
    for (double const copies : {2.5, 0.0}) { // of the stream; 0: as is measured
        CAPTURE(copies);
        EdgeBench bench;
        bench.follower_copies = copies;
        auto& parent = bench.follow(bench.source);
        auto& viewer = bench.follow(parent.node);
        REQUIRE(bench.publish_until([&] { return viewer.node.channel().edge()->is_fed(); }));
        Impostor other{bench, parent.node}; // an only child's line cannot be told from the parent's
        REQUIRE(other.be_child(2));
        Impostor deaf{bench, parent.node};
        REQUIRE(deaf.be_child(2));
        deaf.stop_reading();
        auto const& edge = *parent.node.channel().edge();
        auto least = edge.policy().slots();
        auto const slots = least;
        auto const until = bench.published + 90;
        REQUIRE(bench.publish_until([&] {
            deaf.keep_promising();
            other.keep_promising();
            least = std::min(least, edge.policy().slots());
            return bench.published >= until;
        }));
        CHECK(least == slots);
        CHECK(edge.policy().used_slots() >= 4); // it is a child still
        CHECK(edge.policy().answers_wants({}));
        CHECK(viewer.node.channel().edge()->is_fed());
    }
}

TEST_CASE("What is asked for again takes a quarter of an uplink, however many ask") {
    EdgeBench bench;
    bench.follower_copies = 3;
    auto& viewer = bench.follow(bench.source);
    REQUIRE(bench.publish_until([&] { return viewer.node.channel().edge()->counters().groups > 40; }
    ));
    std::vector<std::unique_ptr<Impostor>> greedy;
    for (int i = 0; i < 6; ++i)
        greedy.push_back(std::make_unique<Impostor>(bench, viewer.node));
    auto const first = bench.published;
    auto const begin = MonotonicClock::now();
    auto last = first;
    REQUIRE(bench.publish_until([&] { // each asks for less than one may have
        if (std::exchange(last, bench.published) == bench.published) return false;
        StripeList list{{0}, bench.parameters.run, {}};
        for (auto const back : {20U, 10U})
            list.groups.push_back({{last - back}, 0x1ff});
        for (auto const& one : greedy)
            one->send_now(encode(WantMessage{list}));
        return last >= first + 80;
    }));
    std::size_t blocks = 0;
    for (auto const& one : greedy)
        blocks += one->blocks().size();
    auto const uplink = 3 * static_cast<double>(EdgeBench::bitrate) / 8;
    // By the clock, as the bound is: a busy machine publishes more slowly.
    std::chrono::duration<double> const time = MonotonicClock::now() - begin;
    auto const seconds = time.count();
    // Three seconds' worth at once, then a quarter; without a bound it would be all.
    auto const most = uplink * (3 + seconds / 4);
    CHECK(most < uplink * seconds * 0.7);
    CHECK(static_cast<double>(blocks * group_size / 8) <= most);
    CHECK(blocks > 100);
}

TEST_CASE("A channel's connections leave little to the kernel, which nothing overtakes") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto& viewer = swarm.add({.peers = {source.address()}});
    REQUIRE(swarm.driver.until([&] { return viewer.neighbours() == 1; }));
    std::size_t found = 0;
    for (auto const& file : std::filesystem::directory_iterator("/proc/self/fd")) {
        int most = 0;
        socklen_t size = sizeof most;
        auto const number = std::stoi(file.path().filename());
        if (::getsockopt(number, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, &size) != 0) continue;
        found += most == static_cast<int>(limits::unsent_in_kernel) ? 1U : 0U;
    }
    CHECK(found == 2); // both ends
}

TEST_CASE("What leaves for other purposes than the live edge comes off its pace") {
    Saturated full;
    REQUIRE(full.bench.swarm.driver.until([&] { return full.child.blocks().size() > 20; }));
    full.bench.swarm.driver.run([&] {
        full.bench.source.channel().edge()->note_upload(of_uplink * 6 / 10);
    });
    auto const before = full.child.blocks().size();
    full.bench.swarm.driver.throughout(500ms, [] { return true; });
    auto const under_way = 48 * limits::KiB / block_size; // at most; a third of what 500 ms carry
    CHECK(full.child.blocks().size() - before < under_way);
    full.child.say(UnsubscribeMessage{{8}}
    ); // a child that is silent for a second is taken for dead
    CHECK(full.bench.swarm.driver.until([&] {
        return full.child.blocks().size() > before + 2 * under_way;
    }));
}

TEST_CASE("A block's age counts the time that it waits for the uplink") {
    Saturated full;
    Duration longest{};
    std::chrono::milliseconds said{};
    std::size_t seen = 0;
    full.bench.swarm.driver.until([&] {
        auto const all = full.child.blocks();
        for (; seen < all.size(); ++seen) {
            auto const real = wall_now() - all[seen].header.wall_time;
            if (real <= longest) continue;
            longest = real;
            said = all[seen].age;
        }
        return longest > 600ms;
    });
    REQUIRE(longest > 600ms);
    CHECK(said > longest / 2); // but for what the connection holds
}

TEST_CASE("The age in a block's header is its age, hop after hop and without a common clock") {
    EdgeBench bench;
    auto& first = bench.follow(bench.source);
    auto& second = bench.follow(first.node);
    REQUIRE(bench.publish_until([&] { return second.node.channel().edge()->is_fed(); }));
    Impostor child{bench, second.node};
    for (StripeIndex stripe; stripe.value < 9; ++stripe)
        child.say(SubscribeMessage{stripe, {bench.published}, 0, false, false, true, true});
    std::vector<double> errors;
    std::size_t seen = 0;
    bench.publish_until([&] {
        auto const all = child.blocks();
        for (; seen < all.size(); ++seen) {
            auto const real = wall_now() - all[seen].header.wall_time;
            errors.push_back(std::abs(std::chrono::duration<double>(real - all[seen].age).count()));
            CHECK(all[seen].path.size() >= 2);
        }
        return errors.size() > 100;
    });
    REQUIRE(errors.size() > 100);
    std::ranges::nth_element(errors, errors.begin() + 50);
    CHECK(errors[50] < 0.05); // a loaded machine holds up single ones
}

TEST_CASE("Live blocks overtake catch-up after an outage of three seconds, and all of it comes") {
    EdgeBench bench;
    bench.follower_copies = 2;
    auto& viewer = bench.follow(bench.source);
    auto const groups = [&] { return viewer.node.channel().edge()->counters().groups; };
    REQUIRE(bench.publish_until([&] { return groups() > 35; }));
    Impostor child{bench, viewer.node};
    auto const back = bench.published;
    auto const first = back - 30;
    for (StripeIndex stripe; stripe.value < 4; ++stripe)
        child.say(SubscribeMessage{stripe, {first}, 0, false, false, true, true});
    auto const held = [&](std::uint64_t from, std::uint64_t to) {
        std::set<BlockKey> keys;
        for (auto const& block : child.blocks()) {
            auto const is_in = block.header.group.value >= from && block.header.group.value < to;
            if (is_in && block.stripe.value < 4) keys.insert(block.key());
        }
        return keys.size();
    };
    auto const is_live = [&](Block const& block) { return block.header.group.value >= back; };
    std::vector<Duration> delays; // of live blocks
    std::size_t seen = 0;
    REQUIRE(bench.publish_until([&] {
        auto const come = child.blocks();
        for (; seen < come.size(); ++seen) {
            if (is_live(come[seen])) delays.push_back(wall_now() - come[seen].header.wall_time);
        }
        return held(first, back) == 30 * 4;
    }));
    REQUIRE(delays.size() > 10);
    std::ranges::nth_element(
        delays, delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2)
    );
    CHECK(delays[delays.size() / 2] < group_span);
    auto const all = child.blocks();
    auto const overtaken =
        std::count_if(std::ranges::find_if(all, is_live), all.end(), [&](Block const& block) {
            return !is_live(block);
        });
    CHECK(overtaken > 20);
    // Nothing of before the outage, nothing twice.
    CHECK(child.distinct() == all.size());
    CHECK(std::ranges::none_of(all, [&](Block const& block) {
        return block.header.group.value < first;
    }));
}

TEST_CASE("A narrow source whose slots are used turns a crowd away with names of others") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    EdgeParameters const parameters{450, 2, 0, RunId{{1}}};
    swarm.driver.run([&] {
        source.channel().begin_edge({test_event, {0}, parameters, 40'000, 56'000, {}, {}});
    });
    auto const come = [&](std::uint16_t port) {
        ChannelHandshake handshake;
        handshake.has_edge = true;
        handshake.port = port;
        return swarm.connect(source, handshake);
    };
    auto const child = come(2000);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    swarm.driver.run([&] {
        for (StripeIndex stripe; stripe.value < 2; ++stripe) {
            SubscribeMessage const ask{stripe, {0}, 0, true, true, true, true};
            child->send(encode(SubscriptionEnvelope{source_node(parameters.run), ask}));
        }
    });
    REQUIRE(swarm.driver.until([&] { return source.channel().edge()->is_busy(); }));
    std::vector<std::shared_ptr<RawPeer>> crowd;
    for (std::uint16_t i = 1; i <= 12; ++i)
        crowd.push_back(come(2000 + i));
    auto const is_sent_away = [](auto const& peer) { return peer->is_closed(); };
    CHECK(swarm.driver.until([&] { return std::ranges::count_if(crowd, is_sent_away) >= 6; }));
    for (auto const& peer : crowd) {
        if (!peer->is_closed()) continue;
        CHECK(std::ranges::any_of(peer->received(), [](Message const& message) {
            auto const* told = std::get_if<PeersMessage>(&message);
            return told && !told->peers.empty();
        }));
    }
}

TEST_CASE("A narrow source whose slots are used names others than its children") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    EdgeParameters const parameters{450, 2, 0, RunId{{1}}};
    swarm.driver.run([&] {
        source.channel().begin_edge({test_event, {0}, parameters, 40'000, 56'000, {}, {}});
    });
    std::vector<std::shared_ptr<RawPeer>> peers;
    auto const come = [&] {
        ChannelHandshake handshake;
        handshake.has_edge = true;
        handshake.port = static_cast<std::uint16_t>(2000 + peers.size());
        peers.push_back(swarm.connect(source, handshake));
        REQUIRE(swarm.driver.until([&] { return source.neighbours() == peers.size(); }));
    };
    auto const named = [&] { // to the last one, as ports
        std::set<std::uint16_t> ports;
        REQUIRE(swarm.driver.until([&] {
            for (auto const& message : peers.back()->received()) {
                auto const* told = std::get_if<PeersMessage>(&message);
                for (auto const& peer : told ? told->peers : std::vector<PeersMessage::Peer>{})
                    ports.insert(peer.endpoint.port);
            }
            return !ports.empty();
        }));
        return ports;
    };
    for (int i = 0; i < 5; ++i)
        come();
    CHECK(named() == std::set<std::uint16_t>{2000, 2001, 2002, 2003});
    swarm.driver.run([&] {
        for (StripeIndex stripe; stripe.value < 2; ++stripe) {
            SubscribeMessage const asked{stripe, {0}, 0, true, true, true, true};
            peers[0]->send(encode(SubscriptionEnvelope{source_node(parameters.run), asked}));
        }
    });
    REQUIRE(swarm.driver.until([&] { return source.channel().edge()->policy().used_slots() == 2; })
    );
    come();
    CHECK(named() == std::set<std::uint16_t>{2001, 2002, 2003, 2004});
}
