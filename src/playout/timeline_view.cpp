#include "playout/timeline.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace minuteswarm {
namespace {

bool is_before(Timeline::Segment const& segment, BytePosition at) {
    return segment.position() < at;
}

bool is_behind(BytePosition at, Timeline::Segment const& segment) {
    return at < segment.position();
}

// What an output finds in hand when it joins near the live edge.
constexpr MediaTime entry_media_min = std::chrono::seconds{1};

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
    if (state_ == State::ended || !has_start_) return std::nullopt;
    auto const hole = hole_deadline();
    if (hole && *hole > now_) return hole;
    if (!last_ || !anchor_) return std::nullopt;
    auto const end = end_deadline();
    if (end <= now_) return std::nullopt;
    return end;
}

std::optional<MonotonicTime> Timeline::deadline(ChunkNumber number, std::uint64_t offset) const {
    if (!anchor_) return std::nullopt;
    auto const due_in = [&](Chunk const& chunk) { return due(media_time_at(chunk, offset)); };
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

MediaTime Timeline::present_from(Position position) const {
    auto total = MediaTime::zero();
    for (auto at = known_.lower_bound(position.chunk); at != known_.end(); ++at) {
        auto const& [number, known] = *at;
        auto const to = known.present_from(position.offset);
        if (number != position.chunk || to <= position.offset) break;
        auto const from = media_time_at(known.chunk, position.offset);
        total += std::max(media_time_at(known.chunk, to) - from, MediaTime::zero());
        if (known.chunk.size == 0 || to < known.chunk.size) break;
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
    if (!has_start_) return std::nullopt;
    return playhead_;
}

std::ranges::subrange<Timeline::Segments::iterator> Timeline::segments_of(ChunkNumber number) {
    auto const first =
        std::lower_bound(segments_.begin(), segments_.end(), Position{number, 0}, is_before);
    auto const is_of = [&](Segment const& segment) { return segment.chunk.number == number; };
    return {first, std::find_if_not(first, segments_.end(), is_of)};
}

Timeline::Segment const* Timeline::segment(ChunkNumber number) const {
    auto const at =
        std::lower_bound(segments_.begin(), segments_.end(), Position{number, 0}, is_before);
    return at != segments_.end() && at->chunk.number == number ? &*at : nullptr;
}

Timeline::Segment const* Timeline::segment_at(Position position) const {
    auto const after = std::upper_bound(segments_.begin(), segments_.end(), position, is_behind);
    if (after == segments_.begin()) return nullptr;
    auto const& before = *std::prev(after);
    return before.chunk.number == position.chunk ? &before : nullptr;
}

Timeline::Segment const* Timeline::segment_after(Position position) const {
    auto const at = std::upper_bound(segments_.begin(), segments_.end(), position, is_behind);
    return at != segments_.end() ? &*at : nullptr;
}

std::optional<Timeline::Position> Timeline::newest_entry() const {
    if (!has_edge_ || entries_.empty()) return std::nullopt;
    auto const has_enough = [this](Entry const& entry) {
        return released_media_ - entry.media_time >= entry_media_min;
    };
    auto const found = std::find_if(entries_.rbegin(), entries_.rend(), has_enough);
    return found == entries_.rend() ? entries_.front().at : found->at;
}

void Timeline::forget_before(ChunkNumber number) {
    while (!segments_.empty() && segments_.front().is_closed &&
           segments_.front().chunk.number < number) {
        segments_.pop_front();
    }
    while (!entries_.empty() &&
           (segments_.empty() || entries_.front().at < segments_.front().position())) {
        entries_.pop_front();
    }
}

} // namespace minuteswarm
