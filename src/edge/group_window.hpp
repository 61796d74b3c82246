#pragma once

#include "edge/edge_node.hpp"

#include <array>

namespace minuteswarm {

/// Which blocks of the newest limits::edge_accounted_groups groups a node has: what to ask for
/// again, what a new parent need not send.
class GroupWindow {
public:
    /// `age`: since it was made. False: it had the block, or the group is too old to keep account
    /// of.
    bool add(GroupNumber group, StripeIndex stripe, MonotonicTime now, Duration age = {});
    void set_rebuilt(GroupNumber group, StripeMask all, MonotonicTime now);

    [[nodiscard]] bool is_empty() const { return !has_any_; }
    [[nodiscard]] GroupNumber newest() const { return newest_; }
    [[nodiscard]] GroupNumber first() const { return first_; }
    /// Blocks of a group, as far as it is in the window.
    [[nodiscard]] StripeMask held(GroupNumber group) const;
    [[nodiscard]] bool is_rebuilt(GroupNumber group) const;
    /// When its first block came, or that of a later group; none if it is not in the window.
    [[nodiscard]] std::optional<MonotonicTime> seen(GroupNumber group) const;
    /// Newest groups of which not all are rebuilt; older than `given_up` they do not count.
    [[nodiscard]] std::uint8_t incomplete(MonotonicTime now, Duration given_up) const;
    /// How long rebuilding takes after the first block, typically.
    [[nodiscard]] Duration typical_lag() const { return typical_lag_; }

    struct Missing {
        GroupNumber group;
        StripeMask held = 0;
        MonotonicTime seen{}; ///< see `seen`
        MonotonicTime made{}; ///< by the age of its blocks, or of those of later groups
    };
    /// Groups not rebuilt that came at least `after` ago and not `until`, oldest first; `span`:
    /// of one of which nothing has come.
    [[nodiscard]] std::vector<Missing>
    missing(MonotonicTime now, Duration after, Duration until, Duration span) const;

private:
    struct Group {
        GroupNumber number;
        StripeMask held = 0;
        bool is_used = false;
        bool is_rebuilt = false;
        MonotonicTime seen{};
        MonotonicTime made{};
    };
    [[nodiscard]] Group const* find(GroupNumber group) const;
    void advance_to(GroupNumber group, MonotonicTime now);

    std::array<Group, limits::edge_accounted_groups> groups_{};
    GroupNumber newest_;
    GroupNumber first_;
    bool has_any_ = false;
    Duration typical_lag_ = std::chrono::milliseconds{300};
};

} // namespace minuteswarm
