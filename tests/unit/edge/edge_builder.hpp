#pragma once

#include "edge/striper.hpp"
#include "unit/edge/vectors.hpp"

#include <random>
#include <vector>

/// Groups of a run as a source would make them, one every 250 ms.
namespace minuteswarm::edge_builder {

struct Shape {
    std::uint32_t length = 4000;
    std::uint8_t stripes = 8;
    std::uint8_t parity = 1;
};

inline RunId run(std::uint8_t number) {
    return RunId{{number, 0, 0, 1, 0, 0, 0, 2}};
}

inline Bytes random_bytes(std::size_t size, std::mt19937_64& random) {
    Bytes bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    return bytes;
}

/// The group of this number, in chunks of four groups.
inline Group group(std::uint64_t number, Shape shape = {}, std::uint8_t run_number = 1) {
    Group group;
    auto& header = group.header;
    header.event = {1'700'000'000'123};
    header.run = run(run_number);
    header.group = {number};
    header.chunk = {1 + number / 4};
    header.offset = {number % 4 * shape.length};
    header.length = shape.length;
    header.stripes = shape.stripes;
    header.parity = shape.parity;
    header.flags = number % 4 == 0 ? GroupHeader::random_access_flag : 0;
    header.media_time = number * std::chrono::milliseconds{250};
    header.wall_time = WallTime{std::chrono::seconds{1'700'000'000}} + header.media_time;
    std::mt19937_64 random{number * 1000 + shape.length};
    group.bytes = random_bytes(shape.length, random);
    return group;
}

inline std::vector<Block> blocks(Group const& group) {
    ParityCode const code{group.header.stripes, group.header.parity};
    return stripe_group(group, code, edge_vectors::key());
}

inline std::vector<Block> blocks(std::uint64_t number, Shape shape = {}, std::uint8_t run = 1) {
    return blocks(group(number, shape, run));
}

inline bool is_same(Block const& one, Block const& other) {
    return one.claimed_seal() == other.claimed_seal() && one.stripe == other.stripe &&
           one.branch == other.branch && *one.payload == *other.payload;
}

} // namespace minuteswarm::edge_builder
