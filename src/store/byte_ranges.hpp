#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace minuteswarm {

/// Which bytes of a chunk are there: disjoint half-open ranges, merged where they touch. Pure.
class ByteRanges {
public:
    void add(std::uint64_t begin, std::uint64_t end);
    void remove(std::uint64_t begin, std::uint64_t end);
    [[nodiscard]] bool contains(std::uint64_t begin, std::uint64_t end) const;
    /// End of the range that holds `offset`, or `offset` itself when that byte is missing.
    [[nodiscard]] std::uint64_t contiguous_end(std::uint64_t offset) const;
    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] std::size_t count() const { return ranges_.size(); }

private:
    std::map<std::uint64_t, std::uint64_t> ranges_; // begin → end
    std::uint64_t total_ = 0;
};

} // namespace minuteswarm
