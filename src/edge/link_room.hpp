#pragma once

#include "base/limits.hpp"

#include <cstddef>

namespace minuteswarm {

struct SubscriptionOptions;

/// How many connections suit a node. Each costs bytes: no more of them than the stripes need homes
/// to choose from, and the slots children.
struct LinkRoom {
    std::size_t wanted = limits::wanted_neighbours; ///< who has fewer dials others
    std::size_t kept = limits::kept_neighbours;     ///< who has more lets go what serves nothing
    std::size_t most = limits::neighbours;          ///< who has so many turns others away
};

LinkRoom link_room(SubscriptionOptions const& options, std::size_t slots);

/// Of neighbours with the same home as a node, parents and children, as many as it looks for.
inline constexpr std::size_t wanted_own_homes = 6;
/// Of those with another: a parent and its replacement.
inline constexpr std::size_t wanted_other_homes = 2;

} // namespace minuteswarm
