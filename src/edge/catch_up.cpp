#include "edge/catch_up.hpp"

#include <iterator>
#include <utility>

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds round_period{100};
constexpr milliseconds answer_time{400};  // or two spans; then somebody else is asked
constexpr milliseconds under_way{250};    // blocks of a group that has begun to come
constexpr std::size_t most_asked = 64;    // of neighbours and groups a round
constexpr milliseconds first_media{1250}; // playing begins with it: nothing else is asked before
constexpr unsigned most_tries = 3;        // for a group: it is left to repair then

} // namespace

bool CatchUp::is_awaiting(GroupNumber group, MonotonicTime now) const {
    auto const asked = asked_.find(group);
    auto const wait = std::max<Duration>(answer_time, 2 * node_.options.span);
    return asked != asked_.end() && now - asked->second.last < wait;
}

void CatchUp::on_missing(GroupNumber group) {
    auto const asked = asked_.find(group);
    if (asked != asked_.end()) asked->second.last = {};
}

CatchUp::CatchUp(EdgeNode& node, GroupWindow const& groups, Parents const& parents)
    : node_(node)
    , groups_(groups)
    , parents_(parents) {}

void CatchUp::tick(MonotonicTime now) {
    auto const start = parents_.starting_from(now);
    if (!start || node_.is_stepped_back || now < next_round_) {
        if (!start) asked_.clear();
        return;
    }
    next_round_ = now + round_period;
    helpers_ = node_.helpers(*start);
    if (!node_.has_help(helpers_)) return; // the parents were asked
    std::erase_if(helpers_, [&](auto id) { return now < node_.find(id)->ask_again; });
    std::ranges::shuffle(helpers_, node_.random);
    weigh_helpers();
    auto const asked_before = node_.actions.size();
    auto const end = *start + limits::edge_accounted_groups;
    auto const first_end = *start + static_cast<std::uint64_t>(first_media / node_.options.span);
    auto is_begun = true;
    for (auto group = *start; group < end && !helpers_.empty(); ++group) {
        if (group == first_end && !is_begun) return;
        std::erase_if(helpers_, [&](auto id) {
            return node_.expected_newest(*node_.find(id), now) < group + EdgeNode::settling_groups;
        });
        if (node_.actions.size() - asked_before >= most_asked) return;
        auto const seen = groups_.seen(group);
        auto const asked = asked_.find(group);
        if (groups_.is_rebuilt(group)) continue;
        auto const is_given_up = asked != asked_.end() && asked->second.tries >= most_tries;
        is_begun = is_begun && is_given_up;
        if (seen && now - *seen < under_way) continue;
        if (is_given_up || is_awaiting(group, now)) continue;
        if (!helpers_.empty()) ask(group, now);
    }
}

/// Who has more uplink to spare has more turns.
void CatchUp::weigh_helpers() {
    auto const all = std::exchange(helpers_, {});
    for (std::size_t turn = 0; turn < EdgeNode::most_help_of_one; ++turn) {
        std::ranges::copy_if(all, std::back_inserter(helpers_), [&](auto id) {
            return node_.find(id)->spare > turn;
        });
    }
}

/// One block of each, in turn.
void CatchUp::ask(GroupNumber group, MonotonicTime now) {
    auto& asked = asked_[group];
    asked.last = now;
    ++asked.tries;
    auto const held = groups_.held(group);
    auto const there = std::min<std::size_t>(count(held), node_.options.stripes);
    auto lacking = node_.options.stripes - there;
    std::map<NeighbourId, StripeMask> wanted;
    for (StripeIndex s; s.value < node_.options.total() && lacking > 0; ++s) {
        if (has(held, s)) continue;
        wanted[helpers_[turn_++ % helpers_.size()]] |= mask_of(s);
        --lacking;
    }
    for (auto const& [id, stripes] : wanted)
        node_.actions.emplace_back(WantBlocks{id, group, stripes});
}

} // namespace minuteswarm
