#pragma once

#include "base/statements.hpp"
#include "edge/group.hpp"

#include <optional>
#include <vector>

namespace minuteswarm {

/// Bytes of a chunk in progress, as the muxer gave them.
struct MuxedBytes {
    ByteView bytes;
    ChunkNumber chunk;
    ByteOffset offset; ///< in the chunk
    MediaTime media_time{};
    WallTime wall_time{};
    bool is_random_access_point = false;
    bool is_discontinuity = false; ///< the first of an epoch
};

/// Cuts muxed bytes into groups. A group ends after its span, on the media's clock or on the
/// monotonic one, whichever is earlier, but while its blocks would be below
/// limits::edge_block_least it waits for more, up to a second in all. It also ends with its chunk,
/// before a random access point, and at group_limit. Where these points come at even intervals,
/// spans are up to an eighth longer, so that as few groups as possible, all of one length, fill an
/// interval, and the last one waits as long again for a point that is late. None is empty. Pure:
/// the caller keeps the timer that `due` asks for.
class GroupCutter {
public:
    struct Options {
        EventId event;
        RenditionId rendition;
        EdgeParameters parameters;
    };

    explicit GroupCutter(Options options);

    /// Groups that ended with or before these bytes.
    std::vector<Group> feed(MuxedBytes const& bytes, MonotonicTime now);
    /// The chunk is complete: its last group, unless that has left before.
    std::optional<Group> close_chunk();
    /// The group whose time has come.
    std::optional<Group> on_time(MonotonicTime now);
    /// When to call `on_time`; none while there is nothing to send.
    [[nodiscard]] std::optional<MonotonicTime> due() const;

private:
    [[nodiscard]] bool continues(MuxedBytes const& bytes) const;
    [[nodiscard]] bool is_due(MonotonicTime now) const;
    [[nodiscard]] MediaTime allowed_span() const;
    void note_entry(MuxedBytes const& bytes);
    void begin(MuxedBytes const& bytes, std::size_t skip, MonotonicTime now);
    void take(std::vector<Group>& groups);

    Options options_;
    MediaTime span_;
    MediaTime longest_;
    std::size_t enough_; ///< bytes for blocks of limits::edge_block_least
    std::size_t most_;
    GroupNumber next_;
    std::optional<Group> pending_;
    MonotonicTime begun_{};
    MediaTime newest_{};                  ///< media time of what came last
    std::optional<MediaTime> last_entry_; ///< a random access point
    std::optional<MediaTime> interval_;   ///< the last one between two of them
};

} // namespace minuteswarm
