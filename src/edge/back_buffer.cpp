#include "edge/back_buffer.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

/// Where a group stands in the rendition. Chunk numbers go on from run to run, so this orders
/// groups of different runs, too.
auto position(GroupHeader const& header) {
    return std::pair{header.chunk, header.offset};
}

} // namespace

BackBuffer::Added
BackBuffer::add(Block block, MonotonicTime now, std::optional<GenuineSeal> const& checked) {
    if (auto const outcome = check_bounds(block.header, block.stripe); outcome != Outcome::added) {
        return {outcome};
    }
    auto const seal = block.claimed_seal();
    if (auto const outcome = check_seal(seal, checked); outcome != Outcome::added) {
        return {outcome};
    }

    auto& group = place_for(seal);
    Added result;
    auto const had_all_data = group.has_all_data();
    group.add(std::move(block), now);
    memory_ += seal.header.payload_size();
    if (!group.has_all_data() && group.can_rebuild()) {
        auto const rebuilt = rebuild(group, now);
        result.is_faulty = !rebuilt;
        if (rebuilt) result.rebuilt = *rebuilt;
    }
    result.has_all_data = !had_all_data && group.has_all_data();
    result.bytes = group.take_bytes();
    note_newest(seal.header);
    keep_within_bounds();
    return result;
}

void BackBuffer::add_own(std::vector<Block> blocks, MonotonicTime now) {
    if (blocks.empty()) return;
    auto const seal = blocks.front().claimed_seal();
    auto& group = place_for(seal);
    for (auto& block : blocks) {
        if (group.add(std::move(block), now)) memory_ += seal.header.payload_size();
    }
    note_newest(seal.header);
    keep_within_bounds();
}

BackBuffer::Outcome BackBuffer::check_bounds(GroupHeader const& header, StripeIndex stripe) const {
    if (header.event != options_.event || header.rendition != options_.rendition) {
        return Outcome::elsewhere;
    }
    if (newest_ && header.media_time + limits::edge_window < newest_->media_time) {
        return Outcome::old;
    }
    auto const* run = find(header.run);
    if (!run) {
        auto const is_over =
            runs_.size() >= limits::edge_runs && position(header) <= position(runs_.front().newest);
        return is_over ? Outcome::old : Outcome::added;
    }
    if (header.group < run->floor) return Outcome::old;
    auto const* group = find(header.run, header.group);
    if (group && has(group->held(), stripe)) return Outcome::duplicate;
    return Outcome::added;
}

BackBuffer::Outcome
BackBuffer::check_seal(GroupSeal const& seal, std::optional<GenuineSeal> const& checked) const {
    auto const* group = find(seal.header.run, seal.header.group);
    if (group && group->seal() == seal) return Outcome::added;
    if (!checked || *checked != seal) return Outcome::unchecked;
    if (group) return Outcome::conflicting;
    auto const* run = find(seal.header.run);
    if (run &&
        (run->newest.stripes != seal.header.stripes || run->newest.parity != seal.header.parity)) {
        return Outcome::conflicting;
    }
    return Outcome::added;
}

BackBuffer::Run const* BackBuffer::find(RunId const& run) const {
    auto const found = std::ranges::find(runs_, run, &Run::id);
    return found == runs_.end() ? nullptr : &*found;
}

BackBuffer::Run* BackBuffer::find(RunId const& run) {
    auto const found = std::ranges::find(runs_, run, &Run::id);
    return found == runs_.end() ? nullptr : &*found;
}

GroupAssembler const* BackBuffer::find(RunId const& run, GroupNumber group) const {
    auto const* known = find(run);
    if (!known) return nullptr;
    auto const found = known->groups.find(group);
    return found == known->groups.end() ? nullptr : &found->second;
}

GroupAssembler& BackBuffer::place_for(GroupSeal const& seal) {
    auto const& header = seal.header;
    auto* run = find(header.run);
    if (!run) {
        runs_.push_back({header.run, {header.stripes, header.parity}, header, {}, {}});
        run = &runs_.back();
    }
    auto const [place, is_new] = run->groups.try_emplace(header.group, seal);
    if (is_new) ++groups_;
    return place->second;
}

Expected<StripeMask> BackBuffer::rebuild(GroupAssembler& group, MonotonicTime now) {
    auto const before = group.memory();
    auto rebuilt = group.rebuild(find(group.header().run)->code, now);
    memory_ += group.memory() - before;
    return rebuilt;
}

void BackBuffer::note_newest(GroupHeader const& header) {
    auto& run = *find(header.run);
    if (position(header) > position(run.newest)) run.newest = header;
    if (!newest_ || position(header) > position(*newest_)) newest_ = header;
    std::ranges::sort(runs_, {}, [](Run const& one) { return position(one.newest); });
}

void BackBuffer::keep_within_bounds() {
    auto const is_too_old = [&](Run const& run) {
        auto const& oldest = run.groups.begin()->second.header();
        return oldest.media_time + limits::edge_window < newest_->media_time;
    };
    while (groups_ > 1 && (runs_.size() > limits::edge_runs || memory_ > options_.memory ||
                           groups_ > limits::edge_groups || is_too_old(runs_.front()))) {
        drop_oldest();
    }
}

void BackBuffer::drop_oldest() {
    auto& run = runs_.front();
    auto const oldest = run.groups.begin();
    memory_ -= oldest->second.memory();
    --groups_;
    run.floor = oldest->first.next();
    run.groups.erase(oldest);
    if (run.groups.empty()) runs_.erase(runs_.begin());
}

std::optional<Block> BackBuffer::block(
    RunId const& run, GroupNumber group, StripeIndex stripe, MonotonicTime now
) const {
    auto const* held = find(run, group);
    return held ? held->block(stripe, now) : std::nullopt;
}

StripeMask BackBuffer::regenerate(RunId const& run, GroupNumber group, MonotonicTime now) {
    auto* known = find(run);
    if (!known) return 0;
    auto const held = known->groups.find(group);
    if (held == known->groups.end()) return 0;
    auto const rebuilt = rebuild(held->second, now);
    auto const made = rebuilt ? *rebuilt : 0;
    keep_within_bounds();
    return made;
}

std::vector<StripeList::Entry>
BackBuffer::held_since(RunId const& run, GroupNumber first, std::size_t most) const {
    std::vector<StripeList::Entry> held;
    auto const* known = find(run);
    if (!known) return held;
    auto group = known->groups.lower_bound(first);
    for (; group != known->groups.end() && held.size() < most; ++group) {
        held.push_back({group->first, group->second.held()});
    }
    return held;
}

std::optional<GroupHeader> BackBuffer::random_access_point(MediaTime latest) const {
    auto const is_wanted = [&](auto const& entry) {
        auto const& header = entry.second.header();
        return header.is_random_access_point() && header.media_time <= latest;
    };
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
        auto const& groups = run->groups;
        auto const found = std::find_if(groups.rbegin(), groups.rend(), is_wanted);
        if (found != groups.rend()) return found->second.header();
    }
    return std::nullopt;
}

} // namespace minuteswarm
