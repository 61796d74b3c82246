#pragma once

#include "edge/striper.hpp"
#include "support/swarm_node.hpp"

#include <algorithm>
#include <map>
#include <random>

namespace minuteswarm::test {

inline constexpr std::size_t group_size = 16 * limits::KiB;
inline constexpr MediaTime group_span = std::chrono::milliseconds{100};
inline constexpr std::uint64_t groups_per_chunk = 20;

/// A node of the live edge with the bytes that came over it.
struct Follower {
    SwarmNode& node;
    std::map<std::pair<ChunkNumber, ByteOffset>, Bytes> bytes;
    std::size_t pieces = 0; ///< how often some came

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
    /// The source's uplink carries the stream so many times.
    explicit EdgeBench(double copies = 40)
        : source(swarm.add_source()) {
        parameters.run = RunId{{1, 2, 3, 4, 5, 6, 7, 8}};
        begin(
            source, [](GroupHeader const&, std::vector<EdgeBytes> const&) {}, copies
        );
    }

    template <class... Nodes>
    Follower& follow(Nodes&... peers) {
        auto& follower =
            *followers.emplace_back(std::make_unique<Follower>(swarm.add_viewer(peers...)));
        auto const take = [&](GroupHeader const&, std::vector<EdgeBytes> const& all) {
            for (auto const& some : all) {
                auto const view = some.view();
                ++follower.pieces;
                follower.bytes[{some.chunk, some.offset}] = {view.begin(), view.end()};
            }
        };
        begin(follower.node, take, follower_copies);
        return follower;
    }

    void begin(
        SwarmNode& node,
        std::function<void(GroupHeader const&, std::vector<EdgeBytes> const&)> on_bytes,
        double copies = 40
    ) {
        auto const uplink = static_cast<std::uint64_t>(copies * static_cast<double>(bitrate));
        swarm.driver.run([&] {
            node.channel().begin_edge(
                {test_event, {0}, parameters, bitrate, uplink, {}, std::move(on_bytes)}
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
        header.media_time = static_cast<MediaTime::rep>(published) * group_span;
        header.wall_time = wall_now();
        if (header.offset.value == 0) header.flags |= GroupHeader::random_access_flag;
        group.bytes.resize(group_size);
        for (auto& byte : group.bytes)
            byte = static_cast<std::uint8_t>(random());
        ++published;
        return group;
    }

    [[nodiscard]] BlockScope scope() const {
        return {test_event, {0}, parameters.run, parameters.stripes, parameters.parity};
    }

    /// Publishes group after group, in real time, until it holds.
    bool publish_until(std::function<bool()> const& holds) {
        for (int i = 0; i < 200; ++i) {
            auto const group = make_group();
            sent[{group.header.chunk, group.header.offset}] = group.bytes;
            swarm.driver.run([&] { source.channel().edge()->publish(group, swarm.key); });
            if (swarm.driver.until(holds, group_span)) return true;
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
    double follower_copies = 40; ///< what the next follower's uplink carries
    EdgeParameters parameters{100, 8, 1, {}};
    std::vector<std::unique_ptr<Follower>> followers; ///< outlive the swarm, which tells them
    TestSwarm swarm;
    SwarmNode& source;
    std::map<std::pair<ChunkNumber, ByteOffset>, Bytes> sent;
    std::uint64_t published = 0;
    std::mt19937_64 random{1};
};

} // namespace minuteswarm::test
