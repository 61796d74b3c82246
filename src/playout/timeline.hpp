#pragma once

#include "base/ids.hpp"
#include "base/statements.hpp"
#include "base/time.hpp"
#include "playout/clock_drift.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

namespace minuteswarm {

/// The viewer's ordered view of a rendition's bytes, from which every output reads. Decides what is
/// released, what is waited for and what is skipped. Pure: time is a parameter.
class Timeline {
public:
    struct Options {
        MediaTime latency = std::chrono::seconds{3}; ///< asked for; see effective_latency()
    };
    enum class State { starting, live, stalled, ended };

    /// What a record says that playing needs.
    struct Chunk {
        ChunkNumber number;
        EpochNumber epoch;
        MediaTime media_time{};
        MediaTime duration{};
        WallTime wall_time{};
        std::uint64_t size = 0;
        bool is_discontinuity = false;
        bool is_independent = true;

        [[nodiscard]] MediaTime end() const { return media_time + duration; }
        /// Linear in the offset, up to the chunk's end.
        [[nodiscard]] MediaTime media_time_at(std::uint64_t offset) const;
    };
    static Chunk chunk_of(Record const& record);

    /// A chunk of which bytes have been released, in the order of release.
    struct Segment {
        Chunk chunk;
        std::uint64_t released = 0; ///< bytes from its start that outputs may take
        bool after_gap = false;     ///< what lay before it was skipped
        bool is_closed = false; ///< no more bytes will follow: complete, or its rest was skipped
        [[nodiscard]] bool is_complete() const { return released == chunk.size; }
    };

    explicit Timeline(Options options);

    /// A record is known. Any order; repeats are ignored; numbers before the playhead too. At most
    /// `limits::feed_window` are kept, those nearest the playhead (the newest while there is no
    /// start): one that found no room may be added again later.
    void add(Chunk const& chunk);
    /// The first `bytes` bytes of a known chunk are there and verified. Never shrinks.
    void set_available(ChunkNumber number, std::uint64_t bytes);
    /// No chunk follows `last`. The first statement holds.
    void end(ChunkNumber last);

    /// Where a viewer that joins now should start: the newest independent chunk that begins at
    /// least the effective latency before the end of the newest known one; the first one of an
    /// event that has ended or of one that is younger than that. None while no chunk is known.
    [[nodiscard]] std::optional<ChunkNumber> choose_start() const;
    /// Sets the playhead to the start of `number`. Once, before the first `advance`. Should it not
    /// come within the effective latency, the start moves on to the next independent chunk that
    /// has.
    void start_at(ChunkNumber number);
    [[nodiscard]] bool has_start() const { return start_.has_value(); }

    /// Releases what is present and due in order, and skips holes whose deadline has passed.
    /// Returns whether anything changed for the outputs.
    bool advance(MonotonicTime now);
    /// When `advance` must be called again even if nothing arrives.
    [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;

    [[nodiscard]] State state() const { return state_; }
    /// Chunk and offset of the next byte to release.
    struct Position {
        ChunkNumber chunk;
        std::uint64_t offset = 0;
        auto operator<=>(Position const&) const = default;
    };
    [[nodiscard]] std::optional<Position> playhead() const;
    /// When the byte at `offset` of a known chunk is due; none before the first byte was released.
    [[nodiscard]] std::optional<MonotonicTime>
    deadline(ChunkNumber number, std::uint64_t offset) const;

    /// The retained window: oldest first, the last one possibly still growing.
    [[nodiscard]] std::deque<Segment> const& segments() const { return segments_; }
    [[nodiscard]] Segment const* segment(ChunkNumber number) const;
    /// The released segment after `number`, or the oldest retained one after it.
    [[nodiscard]] Segment const* segment_after(ChunkNumber number) const;
    /// Retention dropped these.
    void forget_before(ChunkNumber number);

    /// The deadline distance in force: max(asked for, 1.5 x the longest recent chunk + 1 s).
    [[nodiscard]] MediaTime effective_latency() const;
    /// Newest known media time less released media time.
    [[nodiscard]] MediaTime latency_now() const;
    [[nodiscard]] MediaTime newest_media_time() const;
    /// Media time that is present, without a hole, beyond the playhead: nothing after `advance` has
    /// run.
    [[nodiscard]] MediaTime buffered() const;
    /// Media time released before it is due: what a player that keeps to the deadlines has in hand.
    [[nodiscard]] MediaTime ahead(MonotonicTime now) const;

    struct Counters {
        std::uint64_t released_bytes = 0;
        std::uint64_t late_bytes = 0;
        std::uint64_t gaps = 0;
        MediaTime gap_time{};
    };
    [[nodiscard]] Counters const& counters() const { return counters_; }

private:
    struct Known {
        Chunk chunk;
        std::uint64_t available = 0;
    };
    using KnownChunks = std::map<ChunkNumber, Known>;

    bool make_room_for(ChunkNumber number);
    void erase_known(KnownChunks::iterator at);
    void note_duration(Chunk const& chunk);
    [[nodiscard]] MediaTime wanted_latency() const;

    [[nodiscard]] MonotonicTime due(MediaTime media) const;
    [[nodiscard]] std::optional<MonotonicTime> hole_deadline() const;
    [[nodiscard]] MonotonicTime end_deadline() const;
    [[nodiscard]] bool is_over() const { return last_ && playhead_.chunk > *last_; }

    void move_deadlines();
    [[nodiscard]] bool is_too_early() const;
    bool release_present();
    void release(Known const& known);
    void set_anchor(Chunk const& first);
    [[nodiscard]] std::uint64_t late_part(Chunk const& chunk, std::uint64_t to) const;
    bool skip_hole();
    MediaTime drop_before(ChunkNumber target);
    void count_gap(MediaTime lost);
    void finish();

    Options options_;
    State state_ = State::starting;
    std::optional<ChunkNumber> start_;
    KnownChunks known_;             // from the playhead on
    std::set<ChunkNumber> entries_; // those of known_ that a skip may go to
    std::deque<Segment> segments_;
    std::optional<ChunkNumber> last_;
    Counters counters_;

    Position playhead_;
    MediaTime released_media_{}; // where the released bytes end
    MediaTime newest_end_{};
    std::map<ChunkNumber, MediaTime> recent_durations_;

    std::optional<MonotonicTime> waiting_since_; // first advance with a start
    std::optional<MonotonicTime> anchor_;
    MediaTime start_media_{};
    MediaTime delay_{}; // by which deadlines have moved later since the anchor
    MediaTime latency_in_force_{};
    ClockDrift drift_;
    MediaTime drift_seen_to_{}; // newest media time that `drift_` has seen
    MonotonicTime now_{};       // of the latest advance
    MonotonicTime last_release_{};
    bool is_gap_pending_ = false;
};

} // namespace minuteswarm
