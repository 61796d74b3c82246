#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "swarm/messages.hpp"

#include <deque>
#include <random>
#include <vector>

namespace minuteswarm {

/// Peers that were dialled because a neighbour named them. One that does not answer may be behind a
/// NAT: that neighbour introduces this node to it, and a moment later both have sent the other a
/// datagram and it can be connected to over uTP (BEP 55); libtorrent says its first word once only,
/// so that is tried twice. Pure.
class Rendezvous {
public:
    struct Step {
        enum class Kind { ask, connect };
        Kind kind = Kind::ask;
        PeerEndpoint peer;
        NeighbourId introducer; ///< whom to ask
    };

    void note_dialled(
        PeerEndpoint const& peer, NeighbourId introducer, MonotonicTime now, std::mt19937_64& random
    );
    /// It was reached, whatever comes of that, or nobody can introduce this node to it any more.
    void forget(PeerEndpoint const& peer);
    /// It is about to connect itself: two that dial each other at once may both be left alone.
    /// Whether it was waited for here.
    bool note_introduced(PeerEndpoint const& peer);
    /// What is due; for peers that have become neighbours there is nothing to do.
    [[nodiscard]] std::vector<Step> take_due(MonotonicTime now);

private:
    struct Dial {
        Step next;
        MonotonicTime at{};
        int tries = 0; ///< to connect
    };
    std::deque<Dial> dials_;
};

} // namespace minuteswarm
