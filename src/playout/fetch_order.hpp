#pragma once

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace minuteswarm {

/// What is to be fetched next of the chunks that a viewer knows.
struct FetchOptions {
    std::size_t active = 4; ///< chunks at a time: more would share the downlink to no end
    MediaTime read_ahead = std::chrono::seconds{30}; ///< time-shift: how far ahead of what is due
    std::uint64_t read_ahead_bytes = 32 * limits::MiB;
};

/// A chunk whose record is known.
struct FetchChunk {
    ChunkNumber number;
    MediaTime duration{};
    std::uint64_t size = 0;
    std::uint64_t present = 0; ///< bytes that are there, anywhere in it
    bool is_active = false;    ///< is being fetched
    bool is_unheld = false;    ///< no peer says to have it
    bool is_fruitless = false; ///< was asked for long enough for a byte to come
};

/// Where playing stands.
struct FetchPosition {
    ChunkNumber playhead;       ///< chunk of the next byte to release
    MediaTime ahead{};          ///< released, but not yet due: `Timeline::ahead`
    bool is_time_shift = false; ///< the event has ended, or one plays far behind its live edge
};

/// The chunks to be fetched now, most urgent first. `known` is in the order of numbers. Live: what
/// plays next, then the newest, so that it spreads, then what is under way, then the rest in order.
/// Time-shift: in order, as far as the read-ahead goes, and at least two chunks from what is due.
/// There, chunks that nobody seems to have keep no later one from being fetched: those that no peer
/// says to have are tried beside the others, and fruitless ones are left out.
std::vector<ChunkNumber> choose_fetches(
    std::span<FetchChunk const> known, FetchPosition const& position, FetchOptions const& options
);

} // namespace minuteswarm
