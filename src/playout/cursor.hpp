#pragma once

#include "playout/timeline.hpp"

#include <cstdint>
#include <optional>

namespace minuteswarm {

/// Released bytes that an output takes next. They lie in one segment.
struct Slice {
    ChunkNumber chunk;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool is_discontinuity = false; ///< a new epoch, a gap or a jump lies before it
};

/// One output's place in the timeline. Never waits for it, never holds it back: when retention has
/// dropped what comes next, the cursor moves forward to the oldest that is left. Pure.
class Cursor {
public:
    /// Starts at the newest random access point from which there is something to play at once: a
    /// second of media over the live edge, else the newest complete chunk, unless a gap follows it.
    static Cursor live() { return Cursor{Start::live}; }
    /// Starts with the oldest retained segment.
    static Cursor oldest() { return Cursor{Start::oldest}; }

    /// The next slice of at most `max_bytes`, which counts as taken; none when nothing more is
    /// released.
    std::optional<Slice> next(Timeline const& timeline, std::uint64_t max_bytes);
    /// True when the timeline has ended and all of it was taken.
    [[nodiscard]] bool has_ended(Timeline const& timeline) const;
    /// How often it was moved forward because the output was too slow.
    [[nodiscard]] std::uint64_t jumps() const { return jumps_; }
    /// Chunk and offset of the next byte; none before the first slice.
    [[nodiscard]] std::optional<Timeline::Position> position() const { return position_; }

private:
    enum class Start { live, oldest };
    explicit Cursor(Start start)
        : start_(start) {}

    std::optional<Timeline::Position> find_start(Timeline const& timeline) const;
    Timeline::Segment const* find_current(Timeline const& timeline);
    void enter(Timeline::Segment const& segment);
    void note(Timeline::Chunk const& chunk);

    Start start_;
    std::optional<Timeline::Position> position_;
    std::uint64_t size_ = 0;           // of the chunk it is in; 0 while unknown
    std::optional<EpochNumber> epoch_; // of that chunk, as far as known
    bool is_discontinuity_ = false;
    std::uint64_t jumps_ = 0;
};

} // namespace minuteswarm
