#include "playout/release_delays.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::size_t most_pieces = 64; // of a group, then they are counted at once
constexpr std::uint64_t steps = 8;      // of a group, whose bytes count as one
constexpr MediaTime longest_span = std::chrono::seconds{2};

} // namespace

void ReleaseDelays::add(Group const& group, BytePosition from, std::uint64_t to, WallTime now) {
    if (group_ && (group_->begin != group.begin || released_.size() >= most_pieces)) count(group);
    group_ = group;
    released_.push_back({from.offset, to, now});
}

void ReleaseDelays::add(WallTime wall_time, std::uint64_t bytes, WallTime now) {
    histogram_.add(now - wall_time, bytes);
}

/// What is pending, up to `next`. Where that did not begin soon after, or bytes between them are
/// missing, the time of the first byte is taken for all.
void ReleaseDelays::count(Group const& next) {
    auto const begin = group_->begin.offset;
    auto const is_same_chunk = next.begin.chunk == group_->begin.chunk;
    auto const end = is_same_chunk ? next.begin.offset : released_.back().to;
    auto const follows = is_same_chunk ? end == released_.back().to : next.begin.offset == 0;
    auto span = next.wall_time - group_->wall_time;
    if (!follows || end <= begin || span < MediaTime{} || span > longest_span) span = {};
    auto const length = std::max<MediaTime::rep>(1, static_cast<MediaTime::rep>(end - begin));
    for (auto const& piece : released_) {
        for (auto from = piece.from; from < piece.to;) {
            auto const to = std::min(piece.to, from + (piece.to - begin) / steps + 1);
            auto const middle = std::min(from + (to - from) / 2, std::max(begin, end)) - begin;
            auto const since = span * static_cast<MediaTime::rep>(middle) / length;
            add(group_->wall_time + since, to - from, piece.now);
            from = to;
        }
    }
    released_.clear();
}

} // namespace minuteswarm
