#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/signature.hpp"
#include "feed/link.hpp"
#include "feed/statement_codec.hpp"
#include "store/disk_strand.hpp"
#include "store/store.hpp"
#include "support/loop_driver.hpp"
#include "support/raw_peer.hpp"
#include "support/temp_folder.hpp"
#include "swarm/source_proof.hpp"
#include "swarm/swarm.hpp"
#include "torrent/info_dict.hpp"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace minuteswarm::test {

inline constexpr EventId test_event{1'700'000'000'000};

/// A chunk with its bytes and its genuine statement.
struct TestChunk {
    Record record;
    Statement statement;
    SharedBytes bytes;

    [[nodiscard]] ChunkId id() const { return {record.event, record.rendition, record.number}; }
};

inline TestChunk make_chunk(
    ChannelKey const& key,
    std::uint64_t number,
    std::size_t size = 256 * limits::KiB,
    EventId event = test_event
) {
    std::mt19937_64 random{number + event.value};
    Bytes bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    auto hashes = hash_chunk(bytes);
    Record record;
    record.event = event;
    record.run = RunId{{1}};
    record.epoch = {1};
    record.number = {number};
    record.media_time = std::chrono::seconds{number % 1'000'000};
    record.duration = std::chrono::seconds{1};
    record.size = size;
    record.pieces = std::move(hashes.pieces);
    record.sha256 = hashes.sha256;
    record.is_discontinuity = number == 1;
    return {record, sign_statement(record, key), std::make_shared<Bytes const>(std::move(bytes))};
}

/// A node of a channel's swarm with a real session on 127.0.0.1 and a store, but without a role:
/// fetches each chunk whose record it learns, if told to. Make and use it on the loop.
class SwarmNode {
public:
    struct Options {
        ChannelSwarm::Role role = ChannelSwarm::Role::viewer;
        std::vector<std::string> peers;
        bool fetches = true;
        std::string host = "127.0.0.1";
        std::uint64_t uplink = 0;
    };

    SwarmNode(EventLoop& loop, ChannelKey const& key, Options options)
        : channel_id_(key.channel())
        , options_(std::move(options))
        , disk_(loop)
        , store_(loop, disk_, {}) {
        Swarm::Events events;
        events.on_listening = [this](std::string const& endpoint) { address_ = endpoint; };
        NetworkOptions network;
        network.listen = options_.host + ":0";
        network.dht = network.lsd = network.port_mapping = false;
        network.edge = true;
        network.uplink = options_.uplink;
        swarm_ = std::make_unique<Swarm>(
            loop, store_, Swarm::Options{network, false}, std::move(events)
        );
        ChannelSwarm::Events channel_events;
        channel_events.on_statement = [this](Statement const& statement, EventId) {
            on_statement(statement);
        };
        channel_events.on_have = [this](ChunkId const& chunk, PeerEndpoint const& peer, bool dial) {
            swarm_->on_have(key_of(chunk), peer, dial);
        };
        channel_events.on_foreign_run = [this] { ++foreign_runs_; };
        channel_events.on_newer_protocol = [this] { ++newer_protocols_; };
        channel_events.held = [this] { return held(); };
        if (options_.role == ChannelSwarm::Role::source) {
            channel_events.prove_source = [key](auto const& own, auto const& receiver) {
                return prove_source(key, own, receiver);
            };
        }
        channel_ = &swarm_->open(
            {channel_id_, options_.role, options_.peers, {}}, std::move(channel_events)
        );
    }

    /// Has the chunk, as a source or archive has it, and serves it; says nothing of it yet.
    /// `bytes` may be other ones than the record states: then it lies.
    void serve(TestChunk const& chunk, SharedBytes bytes) {
        auto const key = key_of(chunk.id());
        add_to_store(chunk.record);
        store_.write(key, 0, std::move(bytes), {});
        store_.mark_verified(key, 0, chunk.record.size);
        swarm_->chunks().add(key, chunk.record, {}, false);
    }
    /// What a source does with a closed chunk.
    void publish(TestChunk const& chunk, std::size_t receivers) {
        serve(chunk, chunk.bytes);
        channel_->announce_complete(chunk.id(), receivers);
        channel_->publish(chunk.statement, chunk.record.event);
    }

    void stop() { swarm_->stop(); }

    /// Where it listens; empty at first.
    [[nodiscard]] std::string const& address() const { return address_; }
    [[nodiscard]] std::uint16_t port() const { return parse_host_port(address_)->port; }
    [[nodiscard]] Swarm& swarm() { return *swarm_; }
    [[nodiscard]] Store& store() { return store_; }
    [[nodiscard]] ChannelSwarm& channel() { return *channel_; }
    [[nodiscard]] std::size_t neighbours() const { return channel_->neighbourhood().all().size(); }
    [[nodiscard]] std::map<ChunkNumber, Record> const& records() const { return records_; }
    [[nodiscard]] bool is_complete(TestChunk const& chunk) const {
        return store_.is_complete(key_of(chunk.id()));
    }
    [[nodiscard]] int newer_protocols() const { return newer_protocols_; }
    [[nodiscard]] int foreign_runs() const { return foreign_runs_; }
    [[nodiscard]] ChunkKey key_of(ChunkId const& chunk) const {
        return {channel_id_, chunk.event, chunk.rendition, chunk.number};
    }
    /// Payload given to others.
    [[nodiscard]] std::uint64_t given() const {
        std::uint64_t all = 0;
        for (auto const& [peer, traffic] : swarm_->traffic())
            all += traffic.up;
        return all;
    }

private:
    void add_to_store(Record const& record) {
        auto const key = key_of({record.event, record.rendition, record.number});
        store_.add(key, folder_ / chunk_name(channel_id_, record), record.size);
    }
    [[nodiscard]] std::vector<ChannelHandshake::HeldRange> held() const {
        std::vector<ChannelHandshake::HeldRange> ranges;
        for (auto const& [number, record] : records_) {
            if (store_.is_complete(key_of({record.event, record.rendition, number})))
                ranges.push_back({record.event, record.rendition, number, number});
        }
        if (ranges.size() > limits::held_ranges) ranges.resize(limits::held_ranges);
        return ranges;
    }
    void on_statement(Statement const& statement) {
        auto const body = statement_body(statement.wire);
        if (statement.kind != StatementKind::record || !body) return;
        auto const record = decode_record(*body);
        if (!record || !records_.emplace(record->number, *record).second || !options_.fetches)
            return;
        auto const key = key_of({record->event, record->rendition, record->number});
        add_to_store(*record);
        swarm_->chunks().hold(key, *record);
        swarm_->fetch(key, *record);
    }

    ChannelId channel_id_;
    Options options_;
    TempFolder folder_;
    DiskStrand disk_;
    Store store_;
    std::unique_ptr<Swarm> swarm_;
    ChannelSwarm* channel_ = nullptr;
    std::string address_;
    std::map<ChunkNumber, Record> records_;
    int newer_protocols_ = 0;
    int foreign_runs_ = 0;
};

/// A channel's swarm in this process: any number of nodes and raw peers on one loop.
class TestSwarm {
public:
    using Role = ChannelSwarm::Role;

    ~TestSwarm() {
        driver.run([this] {
            for (auto const& peer : raw_peers_)
                peer->close();
            for (auto const& node : nodes_)
                node->stop();
        });
        driver.drain();
    }

    SwarmNode& add(SwarmNode::Options options) {
        driver.run([&] {
            nodes_.push_back(std::make_unique<SwarmNode>(loop, key, std::move(options)));
        });
        auto& node = *nodes_.back();
        if (!driver.until([&] { return !node.address().empty(); }))
            throw StartError{"a test's node does not listen"};
        return node;
    }
    SwarmNode& add_source() { return add({.role = Role::source, .peers = {}}); }
    /// A viewer that is told of these.
    template <class... Nodes>
    SwarmNode& add_viewer(Nodes&... peers) {
        return add({.role = Role::viewer, .peers = {peers.address()...}});
    }

    /// A raw peer of a node; with `handshake` as it is.
    std::shared_ptr<RawPeer> connect(SwarmNode& to, ByteView handshake) {
        auto const hash = channel_info_hash(key.channel());
        driver.run([&] {
            raw_peers_.push_back(
                RawPeer::connect(loop, to.port(), hash, {handshake.begin(), handshake.end()})
            );
        });
        return raw_peers_.back();
    }
    std::shared_ptr<RawPeer> connect(SwarmNode& to, ChannelHandshake handshake = {}) {
        if (handshake.session == SessionId{}) handshake.session = random_id<SessionId>();
        auto peer = connect(to, encode(handshake));
        driver.until([&] { return peer->is_open() || peer->is_closed(); });
        return peer;
    }

    /// A raw peer that is the channel's source, as the node can tell.
    std::shared_ptr<RawPeer> connect_source(SwarmNode& to, ChannelHandshake handshake = {}) {
        handshake.session = random_id<SessionId>();
        handshake.claims_source = true;
        auto peer = connect(to, handshake);
        prove(*peer, handshake.session);
        return peer;
    }
    /// Shows the node that a raw peer of this session is the source.
    void prove(RawPeer& peer, SessionId const& session) {
        driver.run([&] {
            if (!peer.node()) return; // the node has let it go
            auto const proof = prove_source(key, session, peer.node()->session);
            peer.send(encode(ProofMessage{proof}));
        });
    }

    /// Something that has stopped, until the loop has run its last handlers.
    void keep(std::shared_ptr<void> stopped) { kept_.push_back(std::move(stopped)); }

    ChannelKey key = ChannelKey::generate();
    EventLoop loop;
    LoopDriver driver{loop};

private:
    std::vector<std::shared_ptr<void>> kept_;
    std::vector<std::unique_ptr<SwarmNode>> nodes_;
    std::vector<std::shared_ptr<RawPeer>> raw_peers_;
};

} // namespace minuteswarm::test
