#pragma once

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "base/statements.hpp"
#include "base/time.hpp"
#include "http/live_parts.hpp"
#include "playout/timeline.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// An HLS media playlist (RFC 8216) over a timeline: takes up chunks once they are complete, lets
/// the oldest go, and keeps the sequence numbers that players compare between reloads. With parts
/// it is a low-latency one (draft-pantos-hls-rfc8216bis), for as long as chunks have any. Pure.
class Playlist {
public:
    struct Options {
        std::size_t window = limits::playlist_window; ///< entries listed at most
    };

    explicit Playlist(Options options);

    /// Takes up what `segments` has completed since the last call and drops what it no longer has.
    /// A chunk that was closed incomplete is left out for good; one whose record is still to come,
    /// once the next one is closed. One whose parts players may have had is listed in any case,
    /// with what there is of it, so that its number keeps its meaning.
    void
    update(Timeline::Segments const& segments, bool has_ended, LiveParts const* parts = nullptr);

    [[nodiscard]] bool is_empty() const { return entries_.empty(); }
    /// Whether players need not come back for more.
    [[nodiscard]] bool has_ended() const { return has_ended_; }

    /// The playlist, with URIs relative to the server's root: `chunks/<number>.<extension>`.
    /// `is_recording`: players are to begin at its start (RFC 8216 4.3.5.2), even before it is
    /// there to the end. Parts are `parts/<number>-<index>.<extension>`; of a chunk that was not to
    /// be completed, all of them together are `parts/<number>.<extension>`.
    [[nodiscard]] std::string text(Container container, bool is_recording = false) const;

    /// The longest part; none while there are no parts.
    [[nodiscard]] std::optional<MediaTime> part_target() const;
    /// How long an answer may be held (6.2.5.2).
    [[nodiscard]] MediaTime longest_wait() const {
        return 3 * std::chrono::seconds{static_cast<std::int64_t>(target_duration_)};
    }
    /// What a player asks for by `_HLS_msn` and `_HLS_part`.
    struct Wanted {
        std::uint64_t sequence = 0;
        std::optional<std::uint64_t> part;
    };
    enum class Answer { now, later, never };
    /// Whether the playlist has that much already; `never` if it is too far ahead (6.2.5.2).
    [[nodiscard]] Answer answer(Wanted const& wanted) const;
    /// Whether a part may still come.
    [[nodiscard]] bool is_expected(ChunkNumber number, std::uint64_t part) const;

private:
    struct Entry {
        Timeline::Chunk chunk;
        bool is_discontinuity = false;
        std::vector<LivePart> parts;
        bool is_cut_short = false; ///< only its parts are there
    };

    bool take_next(
        Timeline::Segments const& segments, Timeline::Segment const& segment, LiveParts const* parts
    );
    [[nodiscard]] Entry entry_of(Timeline::Segment const& segment, LiveParts const* parts) const;
    void take(Entry entry);
    void drop_oldest();
    [[nodiscard]] ChunkNumber next_chunk() const;
    [[nodiscard]] std::size_t first_with_parts() const;
    [[nodiscard]] std::string low_latency_tags() const;
    static std::string head_of(Entry const& entry, bool has_parts, Container container);

    Options options_;
    std::deque<Entry> entries_;
    std::optional<Entry> pending_; ///< comes next, known by its parts
    std::optional<MediaTime> part_target_;
    std::uint64_t media_sequence_ = 0;         ///< of the first entry; counts entries, not chunks
    std::uint64_t discontinuity_sequence_ = 0; ///< discontinuities that have left the playlist
    std::uint64_t target_duration_ = 1;        ///< seconds
    ChunkNumber taken_;                        ///< newest chunk decided on; 0 before the first
    ChunkNumber listed_;                       ///< newest chunk taken up; 0 before the first
    bool has_ended_ = false;
};

} // namespace minuteswarm
