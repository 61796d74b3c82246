#pragma once

#include "base/limits.hpp"
#include "base/time.hpp"
#include "playout/byte_position.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <ranges>

namespace minuteswarm {

/// What groups of the live edge have said of the bytes inside chunks: which media time begins
/// where, and where a decoder can start. Pure; at most `limits::edge_marks`.
class GroupMarks {
public:
    struct Mark {
        MediaTime media_time{};
        WallTime wall_time{};
        bool is_random_access_point = false;
    };
    using Map = std::map<BytePosition, Mark>;
    using Range = std::ranges::subrange<Map::const_iterator>;

    /// The first statement about a position holds; none is taken while it is full.
    void add(BytePosition at, Mark mark) {
        if (!is_full()) marks_.emplace(at, mark);
    }
    [[nodiscard]] bool is_full() const { return marks_.size() >= limits::edge_marks; }
    [[nodiscard]] std::size_t count() const { return marks_.size(); }
    /// The lowest chunk that has any.
    [[nodiscard]] std::optional<ChunkNumber> first_chunk() const;

    /// Those of a chunk, in order.
    [[nodiscard]] Range of(ChunkNumber chunk) const;
    /// The last one of a chunk at or before a byte, and the first one behind that byte.
    struct Around {
        Map::value_type const* before = nullptr;
        Map::value_type const* after = nullptr;
    };
    [[nodiscard]] Around around(BytePosition at) const;

    /// Drops what can't be in a chunk of `size` bytes, and puts the others between `begin` and
    /// `end`.
    void fit(ChunkNumber chunk, std::uint64_t size, MediaTime begin, MediaTime end);
    void drop(ChunkNumber chunk);
    /// Drops what lies before a byte, but for what says when that byte is due.
    void drop_before(BytePosition at);
    void clear() { marks_.clear(); }

private:
    Map marks_;
};

} // namespace minuteswarm
