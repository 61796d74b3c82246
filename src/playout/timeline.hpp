#pragma once

#include "base/ids.hpp"
#include "base/statements.hpp"
#include "base/time.hpp"
#include "playout/byte_position.hpp"
#include "playout/clock_drift.hpp"
#include "playout/group_marks.hpp"
#include "playout/release_delays.hpp"
#include "store/byte_ranges.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <ranges>

namespace minuteswarm {

/// The viewer's ordered view of a rendition's bytes, from which every output reads. Decides what is
/// released, what is waited for and what is skipped. Pure: time is a parameter.
///
/// A chunk is *closed* when its record is known and *open* while only groups of the live edge have
/// told of it; both play alike. All values are taken as genuine, but may be absurd.
class Timeline {
public:
    struct Options {
        MediaTime latency = std::chrono::seconds{3}; ///< asked for; see effective_latency()
        /// What this machine's wall clock shows when its monotonic one shows 0.
        WallTime clock_origin{};
    };
    enum class State { starting, live, stalled, ended };
    using Position = BytePosition;

    /// What a record says that playing needs; of an open chunk what groups have said so far.
    struct Chunk {
        ChunkNumber number;
        std::optional<EpochNumber> epoch; ///< none while open
        MediaTime media_time{};
        MediaTime duration{}; ///< 0 while open
        WallTime wall_time{};
        std::uint64_t size = 0; ///< 0 while unknown
        bool is_discontinuity = false;
        bool is_independent = true;
        bool is_open = false; ///< its record is still to come

        [[nodiscard]] MediaTime end() const { return media_time + duration; }
        /// Linear in the offset, up to the chunk's end.
        [[nodiscard]] MediaTime media_time_at(std::uint64_t offset) const;
    };
    static Chunk chunk_of(Record const& record);

    /// What a group of the live edge says of its first byte.
    struct Mark {
        Position at;
        MediaTime media_time{};
        WallTime wall_time{}; ///< the publisher's, when it had that byte
        bool is_random_access_point = false;
        bool is_discontinuity = false; ///< counts at a chunk's first byte only
    };

    /// Bytes of one chunk that were released, or are being released, without a gap between them. A
    /// skip inside a chunk ends one and begins another; `begin` is a random access point then.
    struct Segment {
        Chunk chunk; ///< the record's values as soon as that is known
        std::uint64_t begin = 0;
        std::uint64_t released = 0; ///< where the bytes that outputs may take end
        bool after_gap = false;     ///< what lay before it was skipped
        bool is_closed = false; ///< no more bytes will follow: complete, or the next were skipped

        [[nodiscard]] Position position() const { return {chunk.number, begin}; }
        /// All of a closed chunk.
        [[nodiscard]] bool is_complete() const { return !chunk.is_open && is_whole(); }
        /// All of a chunk whose record is still to come.
        [[nodiscard]] bool awaits_record() const { return chunk.is_open && is_whole(); }
        /// A decoder can start with it.
        [[nodiscard]] bool is_entry() const { return begin > 0 || chunk.is_independent; }

    private:
        [[nodiscard]] bool is_whole() const {
            return begin == 0 && released == chunk.size && released > 0;
        }
    };

    using Segments = std::deque<Segment>;

    explicit Timeline(Options options);

    /// A record is known. Any order; repeats are ignored; numbers before the playhead too. At most
    /// `limits::feed_window` are kept, those nearest the playhead (the newest while there is no
    /// start): one that found no room may be added again later. Closes the chunk if it is open:
    /// what was released stays, for the rest the record's values hold.
    void add(Chunk const& chunk);
    /// A group is known; its chunk is open from then on unless the record is known. Any order; the
    /// first statement about a byte holds. At most `limits::edge_open_chunks` chunks are open and
    /// `limits::edge_marks` marks kept, chosen as records are.
    void mark(Mark const& mark);
    /// An open chunk ends after `size` bytes: its last group said so. Playing then goes on before
    /// the record has come. The first statement holds, until the record.
    void set_size(ChunkNumber number, std::uint64_t size);
    /// Which bytes of a known chunk are there and verified now; replaces what was said before.
    void set_available(ChunkNumber number, ByteRanges const& present);
    /// Whether bytes come over the live edge as they are recorded, see `effective_latency`.
    void set_edge(bool has_edge);
    /// Whether as many bytes come over it as are recorded: who is not fed yet starts with more in
    /// hand.
    void set_fed(bool is_fed) { is_fed_ = is_fed; }
    /// No chunk follows `last`. The first statement holds.
    void end(ChunkNumber last);

    /// Where a viewer that joins now should start: the newest random access point, the start of an
    /// independent chunk or a mark, at least the effective latency before the newest known media
    /// time; the first one of an event that has ended or of one that is younger than that. None
    /// while none is known.
    [[nodiscard]] std::optional<Position> choose_start() const;
    /// With the live edge: the same among those with enough media that is there to start with,
    /// as far back as was asked for; not `patient`, the oldest of them if none is that far back.
    [[nodiscard]] std::optional<Position> choose_live_start(bool is_patient) const;
    /// Sets the playhead, to the start of a chunk or to a random access point in it. Once, before
    /// the first `advance`. Should that not come within the effective latency, the start moves on
    /// to the next random access point that has.
    ///
    /// Playing starts when the chunk is there to its end. One that comes over the live edge, so
    /// that marks tell how much media there is, need only have its first fifth of a second; while
    /// too little comes, half the latency, two seconds at most.
    void start_at(Position start);
    [[nodiscard]] bool has_start() const { return has_start_; }

    /// Releases what is present and due in order, and skips holes whose deadline has passed.
    /// Returns whether anything changed for the outputs.
    bool advance(MonotonicTime now);
    /// When `advance` must be called again even if nothing arrives.
    [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;

    [[nodiscard]] State state() const { return state_; }
    /// The next byte to release.
    [[nodiscard]] std::optional<Position> playhead() const;
    /// When the byte at `offset` of a known chunk is due: with the group it is in, or else in
    /// proportion to the chunk's duration. None before the first byte was released. Of released
    /// bytes only the chunk's own times are still known.
    [[nodiscard]] std::optional<MonotonicTime>
    deadline(ChunkNumber number, std::uint64_t offset) const;

    /// The retained window: oldest first, the last one possibly still growing.
    [[nodiscard]] Segments const& segments() const { return segments_; }
    /// The first one of a chunk.
    [[nodiscard]] Segment const* segment(ChunkNumber number) const;
    /// The last one of the chunk that begins at or before a byte.
    [[nodiscard]] Segment const* segment_at(Position at) const;
    /// The oldest retained one that begins behind a byte.
    [[nodiscard]] Segment const* segment_after(Position at) const;
    /// The newest random access point with a second of released media behind it and no gap, or the
    /// first one after a gap: where to join with little delay. None without the live edge.
    [[nodiscard]] std::optional<Position> newest_entry() const;
    /// Retention dropped these.
    void forget_before(ChunkNumber number);

    /// The deadline distance in force: what was asked for with the live edge, and without it max(
    /// asked for, 1.5 x the longest recent chunk + 1 s). Once playing it only grows.
    [[nodiscard]] MediaTime effective_latency() const;
    /// Newest known media time, of groups too, less released media time.
    [[nodiscard]] MediaTime latency_now() const;
    [[nodiscard]] MediaTime newest_media_time() const;
    /// Media time that is present, without a hole, beyond the playhead: nothing after `advance` has
    /// run.
    [[nodiscard]] MediaTime buffered() const { return present_from(playhead_); }
    /// Media time released before it is due: what a player that keeps to the deadlines has in hand.
    [[nodiscard]] MediaTime ahead(MonotonicTime now) const;

    struct Counters {
        std::uint64_t released_bytes = 0;
        std::uint64_t late_bytes = 0;
        std::uint64_t gaps = 0;
        MediaTime gap_time{};
        /// From the publisher's clock to this one's, of released bytes.
        ReleaseDelays delays;
    };
    [[nodiscard]] Counters const& counters() const { return counters_; }

private:
    struct Known {
        Chunk chunk;
        ByteRanges present;
        bool is_begun = true; // its first byte's media time is known

        [[nodiscard]] std::uint64_t present_from(std::uint64_t offset) const;
        [[nodiscard]] bool has(std::uint64_t offset) const { return present_from(offset) > offset; }
    };
    using KnownChunks = std::map<ChunkNumber, Known>;

    [[nodiscard]] bool is_playable(ChunkNumber number) const;
    bool make_room(ChunkNumber number, KnownChunks::iterator oldest, KnownChunks::iterator newest);
    bool make_room_for(ChunkNumber number);
    void erase_known(KnownChunks::iterator at);
    void close(Known& known, Chunk const& record);
    bool close_segments(Chunk const& record);
    std::ranges::subrange<Segments::iterator> segments_of(ChunkNumber number);
    Known* open(Mark const& mark);
    bool make_room_to_open(ChunkNumber number);
    void begin(Known& known, Mark const& mark);
    void add_mark(Position at, GroupMarks::Mark mark);
    void note_duration(Chunk const& chunk);
    [[nodiscard]] MediaTime present_from(Position position) const;
    [[nodiscard]] std::optional<Position> first_entry() const;
    [[nodiscard]] std::optional<Position> newest_entry_before(MediaTime latest) const;
    [[nodiscard]] std::optional<Position> next_entry() const;
    [[nodiscard]] MediaTime wanted_latency() const;
    [[nodiscard]] MediaTime media_time_at(Chunk const& chunk, std::uint64_t offset) const;
    [[nodiscard]] MediaTime end_of(Chunk const& chunk) const;

    [[nodiscard]] MonotonicTime due(MediaTime media) const;
    [[nodiscard]] std::optional<MonotonicTime> hole_deadline() const;
    [[nodiscard]] MonotonicTime end_deadline() const;
    [[nodiscard]] bool is_over() const { return last_ && playhead_.chunk > *last_; }

    void move_deadlines();
    [[nodiscard]] bool is_too_early() const;
    bool start_elsewhere();
    [[nodiscard]] bool has_enough_from(Known const& known, Position at) const;
    bool release_present();
    void release(Known const& known, std::uint64_t to);
    void begin_segment(Chunk const& chunk);
    void note_entries(std::uint64_t to);
    void close_segment();
    void set_anchor(MediaTime first);
    void note_delays(Chunk const& chunk, std::uint64_t to);
    [[nodiscard]] std::uint64_t late_part(Chunk const& chunk, std::uint64_t to) const;
    bool skip_hole();
    MediaTime drop_before(Position target);
    void count_gap(MediaTime lost);
    void finish();

    // With less in hand a start would say nothing yet of how fast bytes come. It is one group of
    // usual length, and the first of the next one.
    static constexpr MediaTime start_media = std::chrono::milliseconds{200};
    static constexpr MediaTime most_start_media = std::chrono::seconds{2};
    [[nodiscard]] MediaTime enough_to_start() const;

    Options options_;
    State state_ = State::starting;
    bool has_start_ = false;
    bool has_edge_ = false;
    bool is_fed_ = true;
    KnownChunks known_; // from the playhead on
    GroupMarks marks_;  // of these, inside them
    Segments segments_;
    struct Entry {
        Position at;
        MediaTime media_time{};
    };
    std::deque<Entry> entries_; // random access points released since the last gap
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
    bool has_closed_ = false; // a record has closed a segment since the last advance
};

} // namespace minuteswarm
