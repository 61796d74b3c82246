#pragma once

#include "edge/edge_node.hpp"
#include "edge/group_window.hpp"
#include "edge/parents.hpp"

#include <map>
#include <vector>

namespace minuteswarm {

/// A joiner's first seconds, from its start to where its parents' blocks begin: asked of those
/// with uplink to spare, block by block. Parents have none: theirs carries the live edge.
class CatchUp {
public:
    CatchUp(EdgeNode& node, GroupWindow const& groups, Parents const& parents);

    void tick(MonotonicTime now);
    /// A neighbour lacks blocks of the group, or has no time for them: another is asked.
    void on_missing(GroupNumber group);
    /// Whether blocks of the group were asked for and may still come.
    [[nodiscard]] bool is_awaiting(GroupNumber group, MonotonicTime now) const;

private:
    struct Asked {
        MonotonicTime last{};
        unsigned tries = 0;
    };

    void weigh_helpers();
    void ask(GroupNumber group, MonotonicTime now);

    EdgeNode& node_;
    GroupWindow const& groups_;
    Parents const& parents_;
    MonotonicTime next_round_{};
    std::map<GroupNumber, Asked> asked_;
    std::vector<NeighbourId> helpers_; ///< of this round, each as often as it has turns
    std::size_t turn_ = 0;
};

} // namespace minuteswarm
