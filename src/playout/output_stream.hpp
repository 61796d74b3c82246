#pragma once

#include "base/bytes.hpp"
#include "base/statements.hpp"
#include "playout/cursor.hpp"
#include "playout/ts_joiner.hpp"

#include <cstdint>
#include <optional>

namespace minuteswarm {

/// One client's continuous stream: says which bytes it takes next, and turns what was read into
/// what is sent. Only a transport stream needs joining; decoders of the others find their way by
/// themselves. Pure.
class OutputStream {
public:
    OutputStream(Container container, Cursor cursor);

    /// Goes on with another timeline; a transport stream stays continuous, with a discontinuity.
    void continue_with(Container container, Cursor cursor);

    /// The next slice to read and then to `feed`; none when nothing more is released.
    std::optional<Slice> next(Timeline const& timeline, std::uint64_t max_bytes);
    /// The bytes of a slice, in the order of `next`; returns what is to be sent.
    Bytes feed(Slice const& slice, Bytes bytes);
    /// What is still to be sent once `has_ended`.
    Bytes finish();

    [[nodiscard]] bool has_ended(Timeline const& timeline) const {
        return cursor_.has_ended(timeline);
    }
    [[nodiscard]] Cursor const& cursor() const { return cursor_; }

private:
    Cursor cursor_;
    std::optional<TsJoiner> joiner_;
    bool is_continued_ = false; // nothing of the newer timeline was fed yet
};

} // namespace minuteswarm
