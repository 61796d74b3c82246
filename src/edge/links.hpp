#pragma once

#include "edge/children.hpp"
#include "edge/edge_node.hpp"
#include "edge/link_room.hpp"
#include "edge/parents.hpp"

namespace minuteswarm {

/// Sees that a node knows enough homes of every stripe, and of its own more: opens links to such
/// peers, closes those that serve nothing.
class Links {
public:
    Links(EdgeNode& node, Parents const& parents, Children const& children, MonotonicTime start);

    void tick(Duration advert_period, MonotonicTime now);

private:
    void open(MonotonicTime now);
    void open_to_source(MonotonicTime now);
    void close(MonotonicTime now);
    void close_silent(Duration advert_period, MonotonicTime now);
    [[nodiscard]] StripeMask lacking_homes() const;
    [[nodiscard]] bool is_needed(NeighbourId id, Acquaintance const& neighbour) const;

    EdgeNode& node_;
    Parents const& parents_;
    Children const& children_;
    MonotonicTime next_;
    MonotonicTime next_open_{};
    MonotonicTime next_any_{};
    MonotonicTime next_source_{};
    Duration open_pause_{};
    Duration absent_pause_{};
    Duration source_pause_{};
    MonotonicTime homeless_at_{}; ///< a home had no parent, last
    std::size_t seen_ = 0;
};

} // namespace minuteswarm
