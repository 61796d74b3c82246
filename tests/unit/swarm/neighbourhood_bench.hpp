#pragma once

#include "swarm/neighbourhood.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <vector>

/// A neighbourhood in the middle of session ids, and those that enter it.
namespace minuteswarm::neighbourhood_bench {

using Entry = Neighbourhood::Entry;
using State = HaveMessage::State;
using Ids = std::vector<NeighbourId>;

inline constexpr MonotonicTime start{std::chrono::hours{1}};
inline constexpr EventId event{7};
inline constexpr RenditionId rendition{0};
inline constexpr std::uint8_t own =
    100; // session ids start with one byte: lower and higher than this

inline ChunkId chunk(std::uint64_t number) {
    return {event, rendition, {number}};
}

inline HaveMessage have(std::uint64_t number, State state) {
    return {event, rendition, {number}, state};
}

inline Signature signature(std::uint64_t number) {
    Signature result;
    for (std::size_t i = 0; i < 8; ++i)
        result.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return result;
}

/// A neighbour at a public address of its own that listens.
inline Neighbour neighbour(std::uint8_t session) {
    Neighbour result;
    result.session = SessionId{{session}};
    result.endpoint = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, session}, 6881};
    return result;
}

inline Ids sorted(Ids ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

struct Bench {
    explicit Bench(std::size_t most = limits::neighbours)
        : all({.self = SessionId{{own}}, .room = {.wanted = most, .most = most}}) {}

    NeighbourId enter(Neighbour entering) {
        NeighbourId const id{++last};
        REQUIRE(all.enter(id, std::move(entering), start) == Entry::accepted);
        return id;
    }
    /// One that has proven that it is the source.
    NeighbourId enter_source(Neighbour entering) {
        entering.claims_source = true;
        auto const id = enter(std::move(entering));
        CHECK(all.note_source(id).empty());
        return id;
    }
    Ids dial_targets(std::uint64_t number) {
        return sorted(all.dial_targets(chunk(number), limits::chunk_peers, random));
    }

    Neighbourhood all;
    std::mt19937_64 random{1}; // NOLINT: the same cases each time
    std::uint64_t last = 0;
};

} // namespace minuteswarm::neighbourhood_bench
