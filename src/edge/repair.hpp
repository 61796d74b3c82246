#pragma once

#include "edge/edge_node.hpp"
#include "edge/group_window.hpp"

#include <map>

namespace minuteswarm {

/// Asks neighbours for single blocks of groups that should be here by now. Each group a few times,
/// ever more seldom: where many lack the same, asking must not be all they do.
class Repair {
public:
    Repair(EdgeNode& node, GroupWindow const& groups, MonotonicTime start);

    void tick(MonotonicTime now);
    /// A neighbour lacks blocks of the group, or has no time for them: another is asked.
    void on_missing(GroupNumber group, MonotonicTime now);

private:
    struct Asked {
        MonotonicTime again{}; ///< not before
        unsigned tries = 0;
    };

    [[nodiscard]] bool is_pressed() const;
    [[nodiscard]] Duration period() const;
    [[nodiscard]] Duration wait(MonotonicTime now) const;
    [[nodiscard]] bool is_of_use(GroupWindow::Missing const& missing, MonotonicTime now) const;
    [[nodiscard]] std::optional<NeighbourId> choose_holder(GroupNumber group, MonotonicTime now);
    void ask(GroupWindow::Missing const& missing, NeighbourId holder, MonotonicTime now);

    EdgeNode& node_;
    GroupWindow const& groups_;
    MonotonicTime next_;
    std::map<GroupNumber, Asked> asked_; ///< of the window
};

} // namespace minuteswarm
