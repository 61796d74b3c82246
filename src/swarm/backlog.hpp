#pragma once

#include "swarm/edge_queue.hpp"

#include <vector>

namespace minuteswarm {

/// What of the live edge waits at a node because of its uplink. A neighbour that takes nothing is
/// its own fault and does not count, unless most of those that are sent something do not either:
/// a line that carries too little holds up most of them. Pure.
class Backlog {
public:
    struct Neighbour {
        EdgeQueue const* queue = nullptr;
        bool is_stuck = false;      ///< its connection takes nothing more now
        bool is_fed_lately = false; ///< it has been given a block, not long ago
    };

    explicit Backlog(std::vector<Neighbour> const& neighbours);

    /// How long new blocks wait for an uplink of so many bits per second; 0: not known, and the
    /// time is that of the queue that waits least, since an uplink would hold up all of them.
    [[nodiscard]] Duration ahead(std::uint64_t uplink, MonotonicTime now) const;
    /// How long it takes such an uplink to send catch-up and repair; 0: for ever.
    [[nodiscard]] Duration behind(double uplink) const;

private:
    std::vector<EdgeQueue const*> held_up_;
};

} // namespace minuteswarm
