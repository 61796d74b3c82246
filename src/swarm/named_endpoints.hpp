#pragma once

#include "swarm/bans.hpp"

namespace minuteswarm {

/// Whether to connect to an endpoint because the peer at `teller` names it. Nobody is to make a
/// node knock at services that are none of the swarm's: ports below 1024 and addresses that are no
/// host's are refused; private ones are taken from private tellers only, loopback from loopback.
/// Pure.
bool is_worth_dialling(PeerEndpoint const& named, PeerAddress const& teller);

} // namespace minuteswarm
