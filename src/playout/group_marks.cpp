#include "playout/group_marks.hpp"

#include <algorithm>
#include <iterator>

namespace minuteswarm {

std::optional<ChunkNumber> GroupMarks::first_chunk() const {
    if (marks_.empty()) return std::nullopt;
    return marks_.begin()->first.chunk;
}

GroupMarks::Range GroupMarks::of(ChunkNumber chunk) const {
    return {marks_.lower_bound({chunk, 0}), marks_.lower_bound({chunk.next(), 0})};
}

GroupMarks::Around GroupMarks::around(BytePosition at) const {
    auto const after = marks_.upper_bound(at);
    Around around;
    if (after != marks_.end() && after->first.chunk == at.chunk) around.after = &*after;
    if (after == marks_.begin()) return around;
    auto const before = std::prev(after);
    if (before->first.chunk == at.chunk) around.before = &*before;
    return around;
}

void GroupMarks::fit(ChunkNumber chunk, std::uint64_t size, MediaTime begin, MediaTime end) {
    auto const past = marks_.lower_bound({chunk.next(), 0});
    marks_.erase(marks_.lower_bound({chunk, size}), past);
    for (auto at = marks_.lower_bound({chunk, 0}); at != past; ++at)
        at->second.media_time = std::clamp(at->second.media_time, begin, end);
}

void GroupMarks::drop(ChunkNumber chunk) {
    marks_.erase(marks_.lower_bound({chunk, 0}), marks_.lower_bound({chunk.next(), 0}));
}

void GroupMarks::drop_before(BytePosition at) {
    auto const [before, after] = around(at);
    auto const end = marks_.lower_bound(before == nullptr ? at : before->first);
    marks_.erase(marks_.begin(), end);
}

} // namespace minuteswarm
