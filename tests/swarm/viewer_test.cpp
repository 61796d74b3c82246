#include "support/edge_bench.hpp"
#include "support/swarm_node.hpp"
#include "viewer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

/// The role itself, with a file as its output, on the swarm's loop.
class RunningViewer {
public:
    // By default nothing is to be skipped: what is asked is which bytes come out, not how soon.
    RunningViewer(
        TestSwarm& swarm,
        std::vector<std::string> peers,
        MediaTime latency = std::chrono::minutes{1}
    )
        : swarm_(swarm) {
        Viewer::Options options;
        options.link.channel = swarm.key.channel();
        options.link.peers = std::move(peers);
        options.network.listen = "127.0.0.1:0";
        options.network.dht = options.network.lsd = options.network.port_mapping = false;
        options.playback.output = (folder_ / "output").string();
        options.playback.timeline.latency = latency;
        options.cache = folder_ / "cache";
        Viewer::Events events;
        events.on_listening = [this](std::string const& endpoint) { endpoint_ = endpoint; };
        events.on_http = [](std::string const&) {};
        events.on_state = [](std::string const&) {};
        events.on_chunk = [](ChunkNumber) {};
        events.on_notice = [this](std::string const& notice) { notices_.push_back(notice); };
        events.on_warning = events.on_notice;
        events.on_stopped = [this](std::optional<Error> const& error) {
            is_stopped_ = true;
            has_failed_ = error.has_value();
        };
        viewer_ = std::make_shared<Viewer>(swarm.loop, std::move(options), std::move(events));
        swarm.driver.run([this] { viewer_->start(); });
        swarm.driver.until([this] { return !endpoint_.empty(); });
    }
    ~RunningViewer() {
        swarm_.driver.run([this] { viewer_->stop(); });
        swarm_.keep(std::move(viewer_));
    }

    [[nodiscard]] std::uint16_t port() const { return parse_host_port(endpoint_)->port; }
    [[nodiscard]] Status status() const { return viewer_->status(); }
    /// Bytes of chunks that came over their torrents.
    [[nodiscard]] std::uint64_t chunk_payload() const {
        std::uint64_t sum = 0;
        for (auto const& peer : viewer_->status().peers)
            sum += peer.down;
        return sum;
    }
    [[nodiscard]] bool has_ended() const { return is_stopped_ && !has_failed_; }
    [[nodiscard]] std::vector<std::string> const& notices() const { return notices_; }
    [[nodiscard]] Bytes output() const {
        std::ifstream in{folder_ / "output", std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

private:
    TestSwarm& swarm_;
    TempFolder folder_;
    std::shared_ptr<Viewer> viewer_;
    std::string endpoint_;
    std::vector<std::string> notices_;
    bool is_stopped_ = false;
    bool has_failed_ = false;
};

Bytes joined(std::vector<TestChunk> const& chunks) {
    Bytes all;
    for (auto const& chunk : chunks)
        append(all, *chunk.bytes);
    return all;
}

std::vector<TestChunk> make_chunks(ChannelKey const& key, std::uint64_t count) {
    std::vector<TestChunk> chunks;
    for (std::uint64_t number = 1; number <= count; ++number)
        chunks.push_back(make_chunk(key, number));
    return chunks;
}

Statement end_of(ChannelKey const& key, std::uint64_t last) {
    return sign_statement(EndRecord{test_event, {last}, std::nullopt}, key);
}

/// A chunk of the live edge as it is closed.
TestChunk closed_chunk(EdgeBench const& bench, std::uint64_t number) {
    Bytes bytes;
    for (auto const& [at, group] : bench.sent) {
        if (at.first == ChunkNumber{number}) append(bytes, group);
    }
    auto chunk = make_chunk(bench.swarm.key, number);
    auto hashes = hash_chunk(bytes);
    chunk.record.run = bench.parameters.run;
    chunk.record.duration = static_cast<MediaTime::rep>(groups_per_chunk) * group_span;
    chunk.record.media_time = static_cast<MediaTime::rep>(number - 1) * chunk.record.duration;
    chunk.record.size = bytes.size();
    chunk.record.pieces = std::move(hashes.pieces);
    chunk.record.sha256 = hashes.sha256;
    chunk.statement = sign_statement(chunk.record, bench.swarm.key);
    chunk.bytes = std::make_shared<Bytes const>(std::move(bytes));
    return chunk;
}

Statement descriptor_of(EdgeBench const& bench) {
    Descriptor descriptor;
    descriptor.event = test_event;
    descriptor.revision = 1;
    descriptor.title = "test";
    descriptor.bitrate = EdgeBench::bitrate;
    descriptor.chunk_duration = std::chrono::seconds{2};
    descriptor.edge = bench.parameters;
    return sign_statement(descriptor, bench.swarm.key);
}

} // namespace

TEST_CASE("A chunk that was closed before a viewer came counts as the live edge's once it is here"
) {
    EdgeBench bench;
    bench.swarm.driver.run([&] { bench.source.channel().publish(descriptor_of(bench), test_event); }
    );
    REQUIRE(bench.publish_until([&] { return bench.published > groups_per_chunk + 2; }));
    bench.swarm.driver.run([&] { // nobody serves its torrent
        bench.source.channel().publish(closed_chunk(bench, 1).statement, test_event);
    });
    RunningViewer viewer{bench.swarm, {bench.source.address()}};
    CHECK(bench.publish_until([&] { return viewer.status().chunks.from_edge == 1; }));
}

TEST_CASE("What the live edge has left out comes with the closed chunk before it is due") {
    EdgeBench bench;
    RunningViewer viewer{bench.swarm, {bench.source.address()}, std::chrono::milliseconds{1500}};
    bench.swarm.driver.run([&] { bench.source.channel().publish(descriptor_of(bench), test_event); }
    );
    REQUIRE(bench.swarm.driver.until([&] { return bench.source.neighbours() == 1; }));
    REQUIRE(bench.publish_until([&] { return bench.published == 12; }));
    auto const lost = bench.make_group();
    bench.sent[{lost.header.chunk, lost.header.offset}] = lost.bytes;
    // All but the lost one: what is still on its way would come with the chunk as well.
    REQUIRE(bench.publish_until([&] {
        auto const& edge = viewer.status().edge;
        return bench.published > groups_per_chunk && edge.groups + 1 == bench.published;
    }));
    auto const chunk = closed_chunk(bench, 1);
    bench.swarm.driver.run([&] { bench.source.publish(chunk, 1); });
    CHECK(bench.publish_until([&] {
        auto const playhead = viewer.status().playhead;
        return playhead && playhead->chunk > ChunkNumber{1};
    }));
    CHECK(viewer.status().gaps.count == 0);
    REQUIRE(bench.swarm.driver.until([&] { return viewer.status().chunks.held == 1; }));
    // No more than the pieces that the lost bytes lie in.
    CHECK(viewer.chunk_payload() > 0);
    CHECK(viewer.chunk_payload() <= 2 * piece_length(chunk.record.size));
}

TEST_CASE("A chunk that is not what came over the live edge is not passed on") {
    EdgeBench bench;
    RunningViewer viewer{bench.swarm, {bench.source.address()}};
    bench.swarm.driver.run([&] { bench.source.channel().publish(descriptor_of(bench), test_event); }
    );
    REQUIRE(bench.swarm.driver.until([&] { return bench.source.neighbours() == 1; }));
    REQUIRE(bench.publish_until([&] {
        auto const& edge = viewer.status().edge;
        return bench.published > 2 * groups_per_chunk && edge.groups == bench.published;
    }));
    bench.sent.begin()->second.front() ^= 1; // as if its source had signed something else
    bench.swarm.driver.run([&] {
        for (std::uint64_t const number : {1U, 2U})
            bench.source.publish(closed_chunk(bench, number), 1);
    });
    // Pieces are checked in the order in which their records came.
    REQUIRE(bench.publish_until([&] { return viewer.status().chunks.from_edge > 0; }));
    CHECK(viewer.status().chunks.from_edge == 1);
    CHECK(viewer.status().chunks.held == 1);
}

TEST_CASE("A viewer writes out exactly what was published, and ends with it") {
    TestSwarm swarm;
    auto const chunks = make_chunks(swarm.key, 3);
    auto& source = swarm.add_source();
    RunningViewer viewer{swarm, {source.address()}};
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    for (auto const& chunk : chunks)
        swarm.driver.run([&] { source.publish(chunk, 2); });
    swarm.driver.run([&] { source.channel().publish(end_of(swarm.key, 3), test_event); });
    CHECK(swarm.driver.until([&] { return viewer.has_ended(); }));
    CHECK((viewer.output() == joined(chunks)));
}

TEST_CASE("A viewer's output is the published bytes whatever hostile peers offer") {
    TestSwarm swarm;
    auto const chunks = make_chunks(swarm.key, 3);
    auto& source = swarm.add_source();
    auto& liar = swarm.add({.peers = {}, .fetches = false});
    RunningViewer viewer{swarm, {source.address(), liar.address()}};
    REQUIRE(swarm.driver.until([&] { return source.neighbours() >= 1 && liar.neighbours() >= 1; }));

    swarm.driver.run([&] {
        for (auto const& chunk : chunks) {
            liar.serve(chunk, std::make_shared<Bytes const>(chunk.bytes->size(), std::uint8_t{7}));
            liar.channel().announce_complete(chunk.id(), 9);
        }
    });
    auto const forger = ChannelKey::generate();
    std::shared_ptr<RawPeer> attacker;
    swarm.driver.run([&] {
        ChannelHandshake hello;
        hello.session = random_id<SessionId>();
        attacker = RawPeer::connect(
            swarm.loop, viewer.port(), channel_info_hash(swarm.key.channel()), encode(hello)
        );
    });
    REQUIRE(swarm.driver.until([&] { return attacker->is_open(); }));
    swarm.driver.run([&] {
        attacker->send(encode(RecordsMessage{{make_chunk(forger, 1).statement}}));
        attacker->send(encode(RecordsMessage{{end_of(forger, 1)}}));
    });
    REQUIRE(swarm.driver.until([&] { return viewer.status().dropped.bad_signature == 2; }));
    for (auto const& chunk : chunks)
        swarm.driver.run([&] { source.publish(chunk, 9); });
    swarm.driver.run([&] { source.channel().publish(end_of(swarm.key, 3), test_event); });
    CHECK(swarm.driver.until([&] { return viewer.has_ended(); }));
    CAPTURE(viewer.output().size(), viewer.status().gaps.count);
    CHECK((viewer.output() == joined(chunks)));
    swarm.driver.run([&] { attacker->close(); });
}

TEST_CASE("A genuine record far ahead moves no playhead and hides no chunk") {
    TestSwarm swarm;
    auto const chunks = make_chunks(swarm.key, 3);
    auto& source = swarm.add_source();
    RunningViewer viewer{swarm, {source.address()}};
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    for (auto const& chunk : chunks)
        swarm.driver.run([&] { source.publish(chunk, 2); });
    REQUIRE(swarm.driver.until([&] { return viewer.status().playhead.has_value(); }));
    auto const far = make_chunk(swarm.key, std::uint64_t{1} << 61);
    swarm.driver.run([&] { source.channel().publish(far.statement, test_event); });
    REQUIRE(swarm.driver.until([&] { return viewer.status().newest_chunk == far.record.number; }));
    auto const next = make_chunk(swarm.key, 4);
    swarm.driver.run([&] { source.publish(next, 2); });
    CHECK(swarm.driver.until([&] { return viewer.status().chunks.from_swarm == 4; }));
    auto const playhead = viewer.status().playhead;
    CHECK(playhead->chunk.value <= 5);
    CHECK(viewer.status().memory_chunks <= limits::chunk_memory);
}

TEST_CASE("A viewer says once when peers speak a later protocol") {
    TestSwarm swarm;
    RunningViewer viewer{swarm, {}};
    for (int i = 0; i < 3; ++i) {
        std::shared_ptr<RawPeer> peer;
        swarm.driver.run([&] {
            auto const channel = channel_info_hash(swarm.key.channel());
            peer = RawPeer::connect(swarm.loop, viewer.port(), channel, to_bytes("d1:vi2ee"));
        });
        CHECK(swarm.driver.until([&] { return peer->is_closed(); }));
    }
    REQUIRE(viewer.notices().size() == 1);
    CHECK(viewer.notices().front().find("newer protocol") != std::string::npos);
}
