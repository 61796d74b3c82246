#include "playout/cursor.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

Timeline::Segment const* first_entry(Timeline const& timeline, Timeline::Segment const* from) {
    while (from != nullptr && !from->is_entry())
        from = timeline.segment_after(from->position());
    return from;
}

} // namespace

std::optional<Timeline::Position> Cursor::find_start(Timeline const& timeline) const {
    auto const& segments = timeline.segments();
    if (segments.empty()) return std::nullopt;
    Timeline::Segment const* found = nullptr;
    if (start_ == Start::oldest) {
        found = first_entry(timeline, &segments.front());
    } else if (auto const entry = timeline.newest_entry()) {
        return entry;
    } else {
        auto is_cut_off = false; // a gap lies between `found` and the playhead
        for (auto segment = segments.rbegin(); segment != segments.rend() && !is_cut_off;
             ++segment) {
            if (segment->is_entry()) found = &*segment;
            if (found == &*segment && segment->is_complete()) break;
            is_cut_off = found != nullptr && segment->after_gap;
        }
    }
    if (found == nullptr) return std::nullopt;
    return found->position();
}

void Cursor::enter(Timeline::Segment const& segment) {
    auto const& chunk = segment.chunk;
    auto const is_same_epoch = !epoch_ || !chunk.epoch || *chunk.epoch == *epoch_;
    auto const is_next = position_ && chunk.number == position_->chunk.next() &&
                         segment.begin == 0 && !segment.after_gap && !chunk.is_discontinuity &&
                         is_same_epoch;
    is_discontinuity_ = position_ && !is_next;
    position_ = segment.position();
    note(chunk);
}

/// What is known of the chunk by now: its record may have come since.
void Cursor::note(Timeline::Chunk const& chunk) {
    size_ = chunk.size;
    epoch_ = chunk.epoch;
}

/// The segment that holds the next byte, entered if need be; none if it isn't released yet.
Timeline::Segment const* Cursor::find_current(Timeline const& timeline) {
    if (!position_) {
        auto const start = find_start(timeline);
        auto const* const first = start ? timeline.segment_at(*start) : nullptr;
        if (first == nullptr) return nullptr;
        enter(*first);
        position_ = start;
        return first;
    }
    auto const* const current = timeline.segment_at(*position_);
    if (current != nullptr) note(current->chunk);
    if (current != nullptr && position_->offset < current->released) return current;
    if (current != nullptr && !current->is_closed) return nullptr;

    auto const* following = timeline.segment_after(*position_);
    if (following == nullptr) return nullptr;
    auto const is_taken = current != nullptr || position_->offset == size_;
    auto const is_dropped =
        following->chunk.number != position_->chunk.next() && !following->after_gap;
    auto const has_jumped = !is_taken || is_dropped;
    if (has_jumped) {
        following = first_entry(timeline, following);
        if (following == nullptr) return nullptr;
        ++jumps_;
    }
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
