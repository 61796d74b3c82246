#pragma once

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "base/statements.hpp"
#include "base/time.hpp"
#include "playout/timeline.hpp"

#include <cstdint>
#include <deque>
#include <string>

namespace minuteswarm {

/// An HLS media playlist (RFC 8216) over a timeline: takes up chunks once they are complete, lets
/// the oldest go, and keeps the sequence numbers that players compare between reloads. Pure.
class Playlist {
public:
    struct Options {
        std::size_t window = limits::playlist_window; ///< entries listed at most
    };

    explicit Playlist(Options options);

    /// Takes up what `segments` has completed since the last call and drops what it no longer has.
    /// A chunk that was closed incomplete is left out for good; one whose record is still to come,
    /// once the next one is closed.
    void update(std::deque<Timeline::Segment> const& segments, bool has_ended);

    [[nodiscard]] bool is_empty() const { return entries_.empty(); }
    /// Whether players need not come back for more.
    [[nodiscard]] bool has_ended() const { return has_ended_; }

    /// The playlist, with URIs relative to the server's root: `chunks/<number>.<extension>`.
    /// `is_recording`: players are to begin at its start (RFC 8216 4.3.5.2), even before it is
    /// there to the end.
    [[nodiscard]] std::string text(Container container, bool is_recording = false) const;

private:
    struct Entry {
        Timeline::Chunk chunk;
        bool is_discontinuity = false;
    };

    void take(Timeline::Segment const& segment);
    void drop_oldest();

    Options options_;
    std::deque<Entry> entries_;
    std::uint64_t media_sequence_ = 0;         ///< of the first entry; counts entries, not chunks
    std::uint64_t discontinuity_sequence_ = 0; ///< discontinuities that have left the playlist
    std::uint64_t target_duration_ = 1;        ///< seconds
    ChunkNumber taken_;                        ///< newest chunk decided on; 0 before the first
    ChunkNumber listed_;                       ///< newest chunk taken up; 0 before the first
    bool has_ended_ = false;
};

} // namespace minuteswarm
