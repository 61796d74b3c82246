#pragma once

#include "http/status.hpp"
#include "swarm/swarm.hpp"

namespace minuteswarm {

/// The fields of a status that the swarm knows: peers, traffic, swarm formation, what was dropped.
void fill_swarm_status(Status& status, Swarm const& swarm, ChannelSwarm const& channel);

} // namespace minuteswarm
