#include "edge/striper.hpp"
#include "support/swarm_node.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t group_size = 16 * limits::KiB;
constexpr MediaTime span = 100ms;
constexpr std::uint64_t groups_per_chunk = 20;

/// A node of the live edge with the bytes that came over it.
struct Follower {
    SwarmNode& node;
    std::map<std::pair<ChunkNumber, ByteOffset>, Bytes> bytes;

    /// Bytes of a chunk from `from` on, as far as there is no hole.
    [[nodiscard]] std::size_t reached(ChunkNumber chunk, ByteOffset from) const {
        auto at = from;
        for (auto next = bytes.find({chunk, at}); next != bytes.end();) {
            at = at + next->second.size();
            next = bytes.find({chunk, at});
        }
        return at.value - from.value;
    }
};

/// A source that publishes random bytes, and those that follow it.
class EdgeBench {
public:
    EdgeBench()
        : source(swarm.add_source()) {
        parameters.run = RunId{{1, 2, 3, 4, 5, 6, 7, 8}};
        begin(source, [](GroupHeader const&, std::vector<EdgeBytes> const&) {});
    }

    template <class... Nodes>
    Follower& follow(Nodes&... peers) {
        auto& follower =
            *followers.emplace_back(std::make_unique<Follower>(swarm.add_viewer(peers...)));
        begin(follower.node, [&](GroupHeader const&, std::vector<EdgeBytes> const& all) {
            for (auto const& some : all) {
                auto const view = some.view();
                follower.bytes[{some.chunk, some.offset}] = {view.begin(), view.end()};
            }
        });
        return follower;
    }

    void begin(
        SwarmNode& node,
        std::function<void(GroupHeader const&, std::vector<EdgeBytes> const&)> on_bytes
    ) {
        swarm.driver.run([&] {
            node.channel().begin_edge(
                {test_event, {0}, parameters, bitrate, 40 * bitrate, std::move(on_bytes)}
            );
        });
    }

    Group make_group() {
        Group group;
        auto& header = group.header;
        header.event = test_event;
        header.run = parameters.run;
        header.group = {published};
        header.chunk = {1 + published / groups_per_chunk};
        header.offset = {published % groups_per_chunk * group_size};
        header.length = group_size;
        header.stripes = parameters.stripes;
        header.parity = parameters.parity;
        header.media_time = static_cast<MediaTime::rep>(published) * span;
        if (header.offset.value == 0) header.flags |= GroupHeader::random_access_flag;
        group.bytes.resize(group_size);
        for (auto& byte : group.bytes)
            byte = static_cast<std::uint8_t>(random());
        ++published;
        return group;
    }

    /// Publishes group after group, in real time, until it holds.
    bool publish_until(std::function<bool()> const& holds) {
        for (int i = 0; i < 200; ++i) {
            auto const group = make_group();
            sent[{group.header.chunk, group.header.offset}] = group.bytes;
            swarm.driver.run([&] { source.channel().edge()->publish(group, swarm.key); });
            if (swarm.driver.until(holds, span)) return true;
        }
        return false;
    }

    /// Whether all of a chunk is with a follower, byte for byte.
    bool has_chunk(Follower const& follower, ChunkNumber chunk) {
        auto const size = groups_per_chunk * group_size;
        if (follower.reached(chunk, {0}) != size) return false;
        Bytes expected;
        Bytes got;
        for (auto const& [at, bytes] : sent) {
            if (at.first == chunk) append(expected, bytes);
        }
        for (auto const& [at, bytes] : follower.bytes) {
            if (at.first == chunk) append(got, bytes);
        }
        return expected == got;
    }
    bool all_have_chunk(ChunkNumber chunk) {
        return std::ranges::all_of(followers, [&](auto const& follower) {
            return has_chunk(*follower, chunk);
        });
    }
    [[nodiscard]] ChunkNumber next_chunk() const { return {2 + published / groups_per_chunk}; }

    static constexpr std::uint64_t bitrate = group_size * 8 * 10;
    EdgeParameters parameters{100, 8, 1, {}};
    TestSwarm swarm;
    SwarmNode& source;
    std::vector<std::unique_ptr<Follower>> followers;
    std::map<std::pair<ChunkNumber, ByteOffset>, Bytes> sent;
    std::uint64_t published = 0;
    std::mt19937_64 random{1};
};

} // namespace

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
        bench.swarm.driver.run([&] { peer->send(encode(BlockMessage{block})); });
    }
    CHECK(bench.swarm.driver.until([&] { return peer->is_closed(); }));
    CHECK(viewer.bytes.empty());
    CHECK(viewer.node.channel().edge()->counters().unexpected >= 100);
}

TEST_CASE("Forged blocks of an accepted parent are not taken, and ban it") {
    EdgeBench bench;
    auto& viewer = bench.follow();
    ChannelHandshake handshake;
    handshake.has_edge = true;
    handshake.is_source = true;
    auto const liar = bench.swarm.connect(viewer.node, handshake);
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
        bench.swarm.driver.run([&] { liar->send(encode(BlockMessage{block})); });
    }
    CHECK(bench.swarm.driver.until([&] { return liar->is_closed(); }));
    CHECK(viewer.bytes.empty());
    CHECK(viewer.node.channel().edge()->counters().forged >= limits::strikes);
}
