#pragma once

#include "base/ids.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace minuteswarm {

using GroupNumber = Number<struct GroupNumberTag>; ///< from 0 in each run
using StripeIndex = Number<struct StripeIndexTag, std::uint8_t>;
using NodeId = Number<struct NodeIdTag, std::uint32_t>;

/// A set of stripes: bit s stands for stripe s.
using StripeMask = std::uint32_t;

constexpr StripeMask mask_of(StripeIndex stripe) {
    return StripeMask{1} << stripe.value;
}

constexpr bool has(StripeMask mask, StripeIndex stripe) {
    return (mask & mask_of(stripe)) != 0;
}

constexpr std::size_t count(StripeMask mask) {
    return static_cast<std::size_t>(std::popcount(mask));
}

/// The first `count` stripes; `count` is at most limits::edge_stripes.
constexpr StripeMask first_stripes(std::size_t count) {
    return count == 0 ? 0 : ~StripeMask{0} >> (32 - count);
}

/// The node id of the source: the first four bytes of its run.
NodeId source_node(RunId const& run);

} // namespace minuteswarm
