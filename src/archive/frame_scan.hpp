#pragma once

#include "archive/file.hpp"
#include "base/statements.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace minuteswarm {

/// Where a genuine statement's frame lies in a `feed` file.
struct FramePlace {
    std::uint64_t offset = 0;
    std::size_t size = 0;
};

struct FrameScan {
    std::uint64_t end = 0;     ///< behind the last whole frame
    std::uint64_t torn = 0;    ///< bytes behind that: an interrupted write
    std::uint64_t damaged = 0; ///< bytes before that which are in no genuine statement
};

/// Walks the frames of a `feed` file from offset `from` on, holding a few of them in memory. `take`
/// says whether a statement is genuine. Where it is not, or frames make no sense, the walk goes on
/// at the next genuine statement, so that flipped bytes cost the statements they are in and no
/// others.
Expected<FrameScan> scan_frames(
    File const& file,
    std::uint64_t from,
    std::function<bool(Statement const&, FramePlace const&)> const& take
);

} // namespace minuteswarm
