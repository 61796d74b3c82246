#include "store/byte_ranges.hpp"

#include <algorithm>
#include <iterator>

namespace minuteswarm {

void ByteRanges::add(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    auto next = ranges_.upper_bound(begin);
    if (next != ranges_.begin() && std::prev(next)->second >= begin) --next;
    while (next != ranges_.end() && next->first <= end) {
        begin = std::min(begin, next->first);
        end = std::max(end, next->second);
        total_ -= next->second - next->first;
        next = ranges_.erase(next);
    }
    ranges_.emplace_hint(next, begin, end);
    total_ += end - begin;
}

void ByteRanges::remove(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    auto next = ranges_.upper_bound(begin);
    if (next != ranges_.begin() && std::prev(next)->second > begin) --next;
    while (next != ranges_.end() && next->first < end) {
        auto const [first, last] = *next;
        next = ranges_.erase(next);
        total_ -= last - first;
        add(first, begin);
        add(end, last);
    }
}

bool ByteRanges::contains(std::uint64_t begin, std::uint64_t end) const {
    return begin >= end || contiguous_end(begin) >= end;
}

std::uint64_t ByteRanges::contiguous_end(std::uint64_t offset) const {
    auto const after = ranges_.upper_bound(offset);
    if (after == ranges_.begin()) return offset;
    return std::max(offset, std::prev(after)->second);
}

} // namespace minuteswarm
