#include "playout/cursor.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

Timeline::Segment const*
first_independent(Timeline const& timeline, Timeline::Segment const* from) {
    while (from != nullptr && !from->chunk.is_independent) {
        from = timeline.segment_after(from->chunk.number);
    }
    return from;
}

} // namespace

Timeline::Segment const* Cursor::find_start(Timeline const& timeline) const {
    auto const& segments = timeline.segments();
    if (segments.empty()) return nullptr;
    if (start_ == Start::oldest) return first_independent(timeline, &segments.front());

    Timeline::Segment const* found = nullptr;
    auto is_cut_off = false; // a gap lies between `found` and the playhead
    for (auto segment = segments.rbegin(); segment != segments.rend() && !is_cut_off; ++segment) {
        if (segment->chunk.is_independent) found = &*segment;
        if (found == &*segment && segment->is_complete()) break;
        is_cut_off = found != nullptr && segment->after_gap;
    }
    return found;
}

void Cursor::enter(Timeline::Segment const& segment) {
    auto const is_next = position_ && segment.chunk.number == position_->chunk.next() &&
                         !segment.after_gap && !segment.chunk.is_discontinuity &&
                         segment.chunk.epoch == epoch_;
    is_discontinuity_ = position_ && !is_next;
    position_ = {segment.chunk.number, 0};
    size_ = segment.chunk.size;
    epoch_ = segment.chunk.epoch;
}

/// The segment that holds the next byte, entered if need be; none if it isn't released yet.
Timeline::Segment const* Cursor::find_current(Timeline const& timeline) {
    if (!position_) {
        auto const* const start = find_start(timeline);
        if (start != nullptr) enter(*start);
        return start;
    }
    auto const* const current = timeline.segment(position_->chunk);
    if (current != nullptr && position_->offset < current->released) return current;
    if (current != nullptr && !current->is_closed) return nullptr;

    auto const* following = timeline.segment_after(position_->chunk);
    if (following == nullptr) return nullptr;
    auto const is_taken = current != nullptr || position_->offset == size_;
    auto const is_dropped =
        following->chunk.number != position_->chunk.next() && !following->after_gap;
    if (!is_taken || is_dropped) {
        following = first_independent(timeline, following);
        if (following == nullptr) return nullptr;
        ++jumps_;
    }
    auto const has_jumped = !is_taken || is_dropped;
    enter(*following);
    is_discontinuity_ = is_discontinuity_ || has_jumped;
    return following;
}

std::optional<Slice> Cursor::next(Timeline const& timeline, std::uint64_t max_bytes) {
    auto const* const segment = find_current(timeline);
    if (segment == nullptr || max_bytes == 0) return std::nullopt;
    auto const length = std::min(segment->released - position_->offset, max_bytes);
    Slice const slice{segment->chunk.number, position_->offset, length, is_discontinuity_};
    position_->offset += length;
    is_discontinuity_ = false;
    return slice;
}

bool Cursor::has_ended(Timeline const& timeline) const {
    if (timeline.state() != Timeline::State::ended) return false;
    if (timeline.segments().empty()) return true;
    if (!position_) return false;
    auto const& last = timeline.segments().back();
    return position_->chunk > last.chunk.number ||
           (position_->chunk == last.chunk.number && position_->offset >= last.released);
}

} // namespace minuteswarm
