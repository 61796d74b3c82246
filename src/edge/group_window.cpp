#include "edge/group_window.hpp"

#include <algorithm>

namespace minuteswarm {

GroupWindow::Group const* GroupWindow::find(GroupNumber group) const {
    auto const& slot = groups_[group.value % groups_.size()];
    return slot.is_used && slot.number == group ? &slot : nullptr;
}

void GroupWindow::advance_to(GroupNumber group, MonotonicTime now) {
    auto next = has_any_ ? newest_.next() : group;
    if (!has_any_) first_ = group;
    if (group.value - next.value > groups_.size()) next = {group.value - groups_.size() + 1};
    for (; next <= group; ++next)
        groups_[next.value % groups_.size()] = {next, 0, true, false, now, now};
    newest_ = group;
    has_any_ = true;
}

bool GroupWindow::add(GroupNumber group, StripeIndex stripe, MonotonicTime now, Duration age) {
    if (!has_any_ || group > newest_) advance_to(group, now);
    if (group < first_ && newest_.value - group.value < groups_.size()) {
        // Catch-up reaches behind the first block that came.
        for (auto number = group; number < first_; ++number)
            groups_[number.value % groups_.size()] = {number, 0, true, false, now, now};
        first_ = group;
    }
    auto& slot = groups_[group.value % groups_.size()];
    if (!slot.is_used || slot.number != group || has(slot.held, stripe)) return false;
    // Whatever it says: it was here by then.
    auto const made = std::min(now - age, slot.seen);
    slot.made = slot.held == 0 ? made : std::max(slot.made, made);
    slot.held |= mask_of(stripe);
    return true;
}

void GroupWindow::set_rebuilt(GroupNumber group, StripeMask all, MonotonicTime now) {
    if (!find(group)) return;
    auto& slot = groups_[group.value % groups_.size()];
    if (!slot.is_rebuilt) typical_lag_ = (typical_lag_ * 9 + (now - slot.seen)) / 10;
    slot.is_rebuilt = true;
    slot.held |= all;
}

StripeMask GroupWindow::held(GroupNumber group) const {
    auto const* found = find(group);
    return found ? found->held : 0;
}

bool GroupWindow::is_rebuilt(GroupNumber group) const {
    auto const* found = find(group);
    return found && found->is_rebuilt;
}

std::optional<MonotonicTime> GroupWindow::seen(GroupNumber group) const {
    auto const* found = find(group);
    return found ? std::optional{found->seen} : std::nullopt;
}

std::uint8_t GroupWindow::incomplete(MonotonicTime now, Duration given_up) const {
    if (!has_any_) return 255;
    std::uint8_t behind = 0;
    for (std::uint8_t back = 0; back < groups_.size() && back <= newest_.value; ++back) {
        auto const* group = find({newest_.value - back});
        if (!group || now - group->seen > given_up) break;
        if (!group->is_rebuilt) behind = static_cast<std::uint8_t>(back + 1);
    }
    return behind;
}

std::vector<GroupWindow::Missing>
GroupWindow::missing(MonotonicTime now, Duration after, Duration until, Duration span) const {
    std::vector<Missing> found;
    if (!has_any_) return found;
    auto made = find(newest_)->made;
    for (std::uint64_t back = 1; back < groups_.size() && back <= newest_.value; ++back) {
        auto const* group = find({newest_.value - back});
        if (!group) break;
        made = group->held == 0 ? made - span : std::min(made, group->made);
        auto const came = now - group->seen;
        if (group->is_rebuilt || came < after || came >= until) continue;
        found.push_back({group->number, group->held, group->seen, made});
    }
    std::ranges::reverse(found);
    return found;
}

} // namespace minuteswarm
