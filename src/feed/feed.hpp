#pragma once

#include "base/limits.hpp"
#include "base/statements.hpp"
#include "feed/statement_codec.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace minuteswarm {

/// What is known of one event: its descriptor, a window of its records, its end. Pure.
/// Holds at most `window` records of each of limits::renditions renditions: the newest ones,
/// wherever their numbers lie, or from `keep_from` on those of that many numbers and the newest.
class Feed {
public:
    enum class Outcome {
        accepted,    ///< new, and now part of the feed
        known,       ///< already had (or a descriptor of a lower or equal revision)
        outside,     ///< genuine, but not within the window: not kept
        newer_event, ///< genuine, of a higher event: the caller should follow that
        other_event, ///< of an older event, and not checked further
        refused,     ///< malformed, forged, of another channel, or contradicts what is known
    };

    Feed(ChannelId const& channel, EventId event, std::size_t window = limits::feed_window);

    /// Verifies, unless what is held already decides; a record once known is never replaced.
    /// Clocks, epochs and media times are not judged.
    Outcome accept(Statement const& statement);

    [[nodiscard]] ChannelId const& channel() const { return channel_; }
    [[nodiscard]] EventId event() const { return event_; }

    [[nodiscard]] Signed<Descriptor> const* descriptor() const;
    [[nodiscard]] Signed<EndRecord> const* end() const;
    [[nodiscard]] Signed<Record> const* find(RenditionId rendition, ChunkNumber number) const;
    [[nodiscard]] Signed<Record> const* newest(RenditionId rendition) const;
    [[nodiscard]] Signed<Record> const* oldest(RenditionId rendition) const;

    /// Keep records from `first` on instead of the newest (a viewer that plays from an event's
    /// start); drops those before it. The newest is always kept.
    void keep_from(ChunkNumber first);

    /// Descriptor and end, if known, then up to `most` consecutive known records from `first` on,
    /// together at most `bytes` long. For replies to `get_records`.
    [[nodiscard]] std::vector<Statement>
    range(RenditionId rendition, ChunkNumber first, std::size_t most, std::size_t bytes) const;

    /// The first run of unknown numbers that lies within the window and before the newest known
    /// record (or the end's last number): {first, count}, count at most limits::records_per_reply.
    struct Hole {
        ChunkNumber first;
        std::size_t count = 0;
    };
    [[nodiscard]] std::optional<Hole> first_hole(RenditionId rendition, ChunkNumber from) const;

private:
    using Records = std::map<ChunkNumber, Signed<Record>>;

    [[nodiscard]] std::optional<Outcome> check(EventId stated, Statement const& statement) const;
    Outcome accept_record(Statement const& statement);
    Outcome accept_descriptor(Statement const& statement);
    Outcome accept_end(Statement const& statement);
    Outcome keep(Signed<Record> record);
    void trim(Records& records) const;
    [[nodiscard]] bool is_in_kept_span(ChunkNumber number) const;
    [[nodiscard]] bool has_record_after(ChunkNumber number) const;
    [[nodiscard]] Records const* records_of(RenditionId rendition) const;

    /// The numbers a feed wants to know: first, and one past the last.
    struct Span {
        ChunkNumber first;
        ChunkNumber past;
    };
    [[nodiscard]] Span wanted_span(RenditionId rendition) const;

    ChannelId channel_;
    EventId event_;
    std::size_t window_;
    std::optional<ChunkNumber> keep_from_;
    std::map<RenditionId, Records> records_; // each with at least one record
    std::optional<Signed<Descriptor>> descriptor_;
    std::optional<Signed<EndRecord>> end_;
};

} // namespace minuteswarm
