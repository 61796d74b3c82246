#include "playout/timeline.hpp"

#include <algorithm>
#include <cmath>

namespace minuteswarm {
namespace {

bool is_before(Timeline::Segment const& segment, ChunkNumber number) {
    return segment.chunk.number < number;
}

bool is_behind(ChunkNumber number, Timeline::Segment const& segment) {
    return number < segment.chunk.number;
}

} // namespace

Timeline::Chunk Timeline::chunk_of(Record const& record) {
    return {
        record.number,
        record.epoch,
        record.media_time,
        record.duration,
        record.wall_time,
        record.size,
        record.is_discontinuity,
        record.is_independent};
}

MediaTime Timeline::Chunk::media_time_at(std::uint64_t offset) const {
    if (offset >= size) return end();
    auto const share = static_cast<double>(offset) / static_cast<double>(size);
    return media_time + MediaTime{std::llround(share * static_cast<double>(duration.count()))};
}

std::optional<MonotonicTime> Timeline::next_deadline() const {
    if (state_ == State::ended || !start_) return std::nullopt;
    auto const hole = hole_deadline();
    if (hole && *hole > now_) return hole;
    if (!last_ || !anchor_) return std::nullopt;
    auto const end = end_deadline();
    if (end <= now_) return std::nullopt;
    return end;
}

std::optional<MonotonicTime> Timeline::deadline(ChunkNumber number, std::uint64_t offset) const {
    if (!anchor_) return std::nullopt;
    auto const due_in = [&](Chunk const& chunk) { return due(chunk.media_time_at(offset)); };
    if (auto const at = known_.find(number); at != known_.end()) return due_in(at->second.chunk);
    if (auto const* const released = segment(number)) return due_in(released->chunk);
    return std::nullopt;
}

MediaTime Timeline::latency_now() const {
    if (!anchor_) return MediaTime::zero();
    return std::max(newest_end_ - released_media_, MediaTime::zero());
}

MediaTime Timeline::newest_media_time() const {
    return newest_end_;
}

MediaTime Timeline::buffered() const {
    auto total = MediaTime::zero();
    auto position = playhead_;
    for (auto const& [number, known] : known_) {
        if (number != position.chunk || known.available <= position.offset) break;
        total +=
            known.chunk.media_time_at(known.available) - known.chunk.media_time_at(position.offset);
        if (known.available < known.chunk.size) break;
        position = {number.next(), 0};
    }
    return total;
}

MediaTime Timeline::ahead(MonotonicTime now) const {
    if (!anchor_) return MediaTime::zero();
    auto const until = due(released_media_);
    if (until <= now) return MediaTime::zero();
    return std::chrono::duration_cast<MediaTime>(until - now);
}

// The retained window

std::optional<Timeline::Position> Timeline::playhead() const {
    if (!start_) return std::nullopt;
    return playhead_;
}

Timeline::Segment const* Timeline::segment(ChunkNumber number) const {
    auto const at = std::lower_bound(segments_.begin(), segments_.end(), number, is_before);
    return at != segments_.end() && at->chunk.number == number ? &*at : nullptr;
}

Timeline::Segment const* Timeline::segment_after(ChunkNumber number) const {
    auto const at = std::upper_bound(segments_.begin(), segments_.end(), number, is_behind);
    return at != segments_.end() ? &*at : nullptr;
}

void Timeline::forget_before(ChunkNumber number) {
    while (!segments_.empty() && segments_.front().is_closed &&
           segments_.front().chunk.number < number) {
        segments_.pop_front();
    }
}

} // namespace minuteswarm
