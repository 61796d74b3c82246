#pragma once

#include "base/ids.hpp"
#include "edge/subscription_messages.hpp"

#include <variant>
#include <vector>

namespace minuteswarm {

struct SendSubscription {
    NeighbourId to;
    SubscriptionMessage message;
};

/// Push the stripe to a child: what it lacks of the groups from `first` on, and from now on every
/// block as it comes.
struct StartPush {
    NeighbourId child;
    StripeIndex stripe;
    GroupNumber first;
    std::uint32_t held = 0; ///< bit i: not first + i
    bool is_urgent = false; ///< what is missing goes before, not behind, new blocks
    bool is_unsent = false; ///< nobody has got it: however old, it is no repeat
};

struct StopPush {
    NeighbourId child;
    StripeIndex stripe;
};

/// Connect to a peer that is a home of one of these stripes (0: to any), or to `node` if it is not
/// 0; a hint, it may not exist.
struct OpenLink {
    StripeMask homes = 0;
    PreemptMessage successor;
};

struct CloseLink {
    NeighbourId neighbour;
};

/// Ask a neighbour for single blocks.
struct WantBlocks {
    NeighbourId neighbour;
    GroupNumber group;
    StripeMask stripes = 0;
};

/// Make these blocks of a rebuilt group and push them to the stripes' children.
struct RegenerateBlocks {
    GroupNumber group;
    StripeMask stripes = 0;
};

/// What the policy wants done, in this order.
using EdgeAction = std::variant<
    SendSubscription,
    StartPush,
    StopPush,
    OpenLink,
    CloseLink,
    WantBlocks,
    RegenerateBlocks>;

} // namespace minuteswarm
