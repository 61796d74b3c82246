#pragma once

#include "base/statements.hpp"
#include "base/timer.hpp"
#include "playback.hpp"
#include "store/store.hpp"
#include "swarm/channel_swarm.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace minuteswarm {

/// A viewer's side of the live edge: brings its bytes into the store and the timeline as they come,
/// and holds each chunk against its record once that is there. Loop-only.
class EdgeFollower {
public:
    struct Options {
        ChannelId channel;
        EventId event;
        RenditionId rendition;
        std::filesystem::path folder; ///< for the chunks' files
        std::uint64_t uplink = 0;     ///< bits per second; 0: not known
    };
    struct Events {
        /// The record of a chunk that was closed before its first bytes came; null: not known.
        std::function<Record const*(ChunkNumber)> find_record;
        std::function<void(ChunkNumber)> on_bytes; ///< more of a chunk is there
        /// A chunk's record holds for all that has come; again when more has.
        std::function<void(Record const&)> on_checked;
    };

    EdgeFollower(
        EventLoop& loop,
        Store& store,
        DiskStrand& disk,
        Playback& playback,
        ChannelSwarm& swarm,
        Options options,
        Events events
    );

    /// Follows the run that it names, if it names one.
    void on_descriptor(Descriptor const& descriptor);
    /// True when bytes of this chunk came over the live edge: `on_checked` will follow.
    bool on_record(Record const& record);

    /// Now and then: who has stepped back, or has got nothing yet, plays at the latency of chunks.
    void update(MonotonicTime now);

    /// Whether a chunk's missing bytes may still come by themselves.
    [[nodiscard]] bool is_expected(ChunkNumber number, MonotonicTime now) const;
    /// Whether there is a live edge, which may bring its first bytes yet.
    [[nodiscard]] bool is_waiting(MonotonicTime now) const;
    [[nodiscard]] bool has_bytes() const { return first_bytes_at_.has_value(); }
    /// Whether less is asked for to start with than the latency, see Parents::starts_near.
    [[nodiscard]] bool starts_near() const;
    /// Only if it has bytes.
    [[nodiscard]] MonotonicTime first_bytes_at() const { return *first_bytes_at_; }

private:
    struct Coming {
        bool from_start = false; ///< followed since its first byte
        std::optional<Record> record;
        MonotonicTime recorded_at{};
        std::uint64_t checked = 0; ///< bit i: piece i is whole and was, or is being, checked
        std::size_t under_way = 0;
    };

    void on_bytes(GroupHeader const& header, std::vector<EdgeBytes> const& bytes);
    Coming& open(GroupHeader const& header);
    void adopt(Coming& coming, Record const& record);
    void check(Coming& coming);
    void check_next();
    void check_piece(Record const& record, std::size_t piece);
    void on_piece(ChunkNumber number);
    [[nodiscard]] bool is_due(ChunkNumber number, MonotonicTime now) const;
    [[nodiscard]] ChunkKey key_of(ChunkNumber number) const;

    Store& store_;
    DiskStrand& disk_; ///< also hashes
    Playback& playback_;
    ChannelSwarm& swarm_;
    Options options_;
    Events events_;
    std::optional<RunId> run_;
    Container container_ = Container::mpeg_ts;
    std::map<ChunkNumber, Coming> coming_; ///< chunks with bytes of the edge, the newest few
    std::deque<std::pair<ChunkNumber, std::size_t>> unchecked_; ///< pieces, beside one under way
    bool is_checking_ = false;
    Timer check_timer_;
    std::optional<MonotonicTime> first_bytes_at_;
    MonotonicTime joined_at_{};
    std::chrono::milliseconds patience_{}; ///< for the last blocks of a chunk after its record
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< for answers that come late
};

} // namespace minuteswarm
