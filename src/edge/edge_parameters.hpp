#pragma once

#include "base/statements.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace minuteswarm {

/// How to cut and stripe a run of `bitrate` bits per second: as many stripes as payloads of
/// limits::edge_block_least allow in half a second, at most 8 and at least 2; then the shortest
/// span, of 125 ms (with twice such payloads) to a second, that still gives them. A bitrate of 0 is
/// not known yet. `parity` is the user's wish for M, cut to what limits::edge_stripes leaves;
/// without one M is 1, and 0 below 4 stripes. The run is the caller's to add. In steps:
///
/// - up to 32 kbit/s: 1 s, 2 stripes
///
/// - up to 65 kbit/s: 500 ms, 2 stripes
///
/// - up to 131 kbit/s: 500 ms, 4 + 1 stripes
///
/// - up to 262 kbit/s: 500 ms, 8 + 1 stripes
///
/// - up to 1048 kbit/s, or not known: 250 ms, 8 + 1 stripes
///
/// - above: 125 ms, 8 + 1 stripes
EdgeParameters
choose_parameters(std::uint64_t bitrate, std::optional<std::uint8_t> parity = std::nullopt);

/// Streams with fewer stripes are narrow, such as radio.
constexpr bool has_many(std::uint8_t stripes) {
    return stripes >= 4;
}

/// Bits per second, 0 when not known. Such an uplink is held up by what is said beside the stream:
/// a record takes it 10 ms and more.
constexpr bool is_narrow(std::uint64_t uplink) {
    return uplink > 0 && uplink < 256'000;
}

/// A block so much older than its stripe's usually are here counts as catch-up and leaves when no
/// new one waits. Each hop takes about a span to pass a block on to all its children; and where
/// many have left at once, what a whole tree has missed is to reach all of it although its best
/// nodes are never idle. Where all blocks come late, they are the stream all the same.
constexpr bool is_late(Duration age, Duration usual, Duration span, std::uint8_t stripes) {
    auto const limit = 6 * span;
    auto const least = std::chrono::seconds{4};
    return age > usual + (has_many(stripes) ? std::max<Duration>(limit, least) : limit);
}

} // namespace minuteswarm
