#pragma once

#include "base/statements.hpp"
#include "playback.hpp"
#include "store/store.hpp"
#include "swarm/channel_swarm.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>

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
        std::function<void(ChunkNumber)> on_bytes; ///< more of a chunk is there
        /// A chunk's record holds for all that came; the rest is for its swarm.
        std::function<void(Record const&)> on_checked;
    };

    EdgeFollower(
        Store& store, Playback& playback, ChannelSwarm& swarm, Options options, Events events
    );

    /// Follows the run that it names, if it names one.
    void on_descriptor(Descriptor const& descriptor);
    /// True when bytes of this chunk came over the live edge: `on_checked` will follow.
    bool on_record(Record const& record);

    /// Whether a chunk's missing bytes may still come by themselves.
    [[nodiscard]] bool is_expected(ChunkNumber number, MonotonicTime now) const;
    /// Whether there is a live edge, which may not have reached this node yet.
    [[nodiscard]] bool is_waiting() const { return run_ && !has_bytes_; }
    [[nodiscard]] bool has_bytes() const { return has_bytes_; }

private:
    struct Coming {
        bool from_start = false; ///< followed since its first byte
        std::optional<MonotonicTime> recorded_at;
    };

    void on_bytes(GroupHeader const& header, std::vector<EdgeBytes> const& bytes);
    void open(GroupHeader const& header);
    void check(Record const& record);
    void check_piece(Record const& record, std::uint64_t begin);
    [[nodiscard]] ChunkKey key_of(ChunkNumber number) const;

    Store& store_;
    Playback& playback_;
    ChannelSwarm& swarm_;
    Options options_;
    Events events_;
    std::optional<RunId> run_;
    Container container_ = Container::mpeg_ts;
    std::map<ChunkNumber, Coming> coming_; ///< chunks with bytes of the edge, the newest few
    std::map<ChunkNumber, std::size_t> unchecked_; ///< pieces under way
    bool has_bytes_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< for answers that come late
};

} // namespace minuteswarm
