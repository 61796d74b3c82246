#pragma once

#include "edge/catch_up.hpp"
#include "edge/edge_node.hpp"
#include "edge/group_window.hpp"

#include <map>

namespace minuteswarm {

/// Asks neighbours for single blocks of groups that should be here by now. Each group a few times,
/// ever more seldom: where many lack the same, asking must not be all they do.
class Repair {
public:
    Repair(EdgeNode& node, GroupWindow const& groups, CatchUp const& catch_up, MonotonicTime start);

    void tick(MonotonicTime now);
    /// A neighbour lacks blocks of the group, or has no time for them: another is asked.
    void on_missing(NeighbourId from, GroupNumber group, MonotonicTime now);

private:
    using Wanted = std::map<NeighbourId, StripeMask>;
    struct Asked {
        MonotonicTime again{}; ///< not before
        unsigned tries = 0;    ///< of those who said to have it
        unsigned guesses = 0;  ///< of others
        Wanted last;           ///< that have not said no
    };

    [[nodiscard]] bool is_pressed() const;
    [[nodiscard]] Duration period(MonotonicTime now) const;
    [[nodiscard]] bool is_overdue(GroupWindow::Missing const& missing, MonotonicTime now) const;
    [[nodiscard]] bool is_of_use(GroupWindow::Missing const& missing, MonotonicTime now) const;
    void note_silent(Asked const& asked, StripeMask held, MonotonicTime now);
    [[nodiscard]] NeighbourId pick(std::vector<NeighbourId> of, MonotonicTime now);
    template <class Predicate>
    [[nodiscard]] std::optional<NeighbourId> pick_if(Predicate const& holds, MonotonicTime now);
    [[nodiscard]] Wanted of_whole(GroupNumber group, StripeMask lacking, MonotonicTime now);
    [[nodiscard]] Wanted guess(GroupNumber group, StripeMask lacking, MonotonicTime now);
    void ask(GroupWindow::Missing const& missing, MonotonicTime now);

    EdgeNode& node_;
    GroupWindow const& groups_;
    CatchUp const& catch_up_;
    MonotonicTime next_;
    std::map<GroupNumber, Asked> asked_; ///< of the window
};

} // namespace minuteswarm
