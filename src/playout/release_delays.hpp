#pragma once

#include "base/delay_histogram.hpp"
#include "base/time.hpp"
#include "playout/byte_position.hpp"

#include <optional>
#include <vector>

namespace minuteswarm {

/// How long after the publisher had bytes they are released. A group says when the publisher had
/// its first one; the others came evenly until the next group began, and so a group counts when
/// that is known, and the last one of all does not. Pure.
class ReleaseDelays {
public:
    struct Group {
        BytePosition begin;
        WallTime wall_time{}; ///< of its first byte
    };

    /// These bytes of a group were released at `now` on the wall clock. In order.
    void add(Group const& group, BytePosition from, std::uint64_t to, WallTime now);
    /// Bytes that came at `wall_time`.
    void add(WallTime wall_time, std::uint64_t bytes, WallTime now);

    [[nodiscard]] DelayHistogram const& histogram() const { return histogram_; }

private:
    struct Released {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        WallTime now{};
    };
    void count(Group const& next);

    DelayHistogram histogram_;
    std::optional<Group> group_;
    std::vector<Released> released_; // of that group
};

} // namespace minuteswarm
