#pragma once

#include "base/event_loop.hpp"
#include "base/recent_samples.hpp"
#include "base/timer.hpp"
#include "edge_follower.hpp"
#include "feed/link.hpp"
#include "http/status.hpp"
#include "playback.hpp"
#include "playout/fetch_order.hpp"
#include "store/cache_folder.hpp"
#include "store/disk_strand.hpp"
#include "store/store.hpp"
#include "swarm/swarm.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// Wires the stages of a viewer: swarm → feed → store → timeline → outputs. A relay is one without
/// outputs.
class Viewer {
public:
    struct Options {
        Link link;
        NetworkOptions network;
        std::vector<std::string> peers; ///< beside those of the link
        Playback::Options playback;
        std::filesystem::path cache; ///< its own folder below this is removed at the end
        std::uint64_t cache_size = std::uint64_t{2} << 30;
        bool keep = false; ///< leave the chunks in the cache at the end
        bool is_relay = false;
    };

    struct Events {
        std::function<void(std::string const& endpoint)> on_listening;
        std::function<void(std::string const& url)> on_http;
        std::function<void(std::string const& state)> on_state;
        std::function<void(ChunkNumber)> on_chunk; ///< complete here
        std::function<void(std::string const&)> on_notice;
        std::function<void(std::string const&)> on_warning;
        std::function<void(std::optional<Error>)> on_stopped;
    };

    Viewer(EventLoop& loop, Options options, Events events);
    ~Viewer();

    void start();
    void stop();
    [[nodiscard]] Status status() const;

private:
    void open_swarm();
    void on_statement(Statement const& statement, EventId event);
    void follow(EventId event);
    void on_record(Record const& record);
    void begin_edge();
    void on_edge_chunk(Record const& record);
    void on_end(ChunkNumber last);
    void try_start();
    [[nodiscard]] std::optional<Timeline::Position> choose_start() const;
    [[nodiscard]] std::optional<Timeline::Position> choose_live_start(MonotonicTime now) const;
    [[nodiscard]] ChunkNumber front() const;
    [[nodiscard]] ChunkNumber first_held() const;
    [[nodiscard]] FetchChunk fetch_chunk(Record const& record) const;
    [[nodiscard]] bool was_asked(ChunkNumber number, Duration ago) const;
    void report_missing(std::vector<FetchChunk> const& known);
    void update_fetches();
    [[nodiscard]] std::optional<ChunkNumber> first_left_out() const;
    void update_interest();
    void expire_chunks();
    void on_advanced();
    void check_done();
    void tick();
    void report_state();
    void finish(std::optional<Error> error);
    [[nodiscard]] ChunkKey key_of(ChunkNumber number) const;

    EventLoop& loop_;
    Options options_;
    Events events_;
    CacheFolder folder_;
    DiskStrand disk_;
    Store store_;
    std::unique_ptr<Swarm> swarm_;
    ChannelSwarm* channel_ = nullptr;
    std::unique_ptr<Playback> playback_;
    std::unique_ptr<EdgeFollower> edge_; ///< of the event; none without a live edge
    Timer timer_;

    EventId event_;
    std::map<ChunkNumber, Record> records_;
    std::map<ChunkNumber, MonotonicTime> asked_at_; // while there is a neighbour; from the playhead
    bool has_end_ = false;
    ChunkNumber last_; // once it has ended
    std::optional<MonotonicTime> first_record_at_;
    std::optional<MonotonicTime> done_at_;
    std::uint64_t up_payload_seen_ = 0;
    std::uint64_t from_swarm_ = 0;
    std::uint64_t from_edge_ = 0;
    RecentSamples latencies_;
    MonotonicTime last_upload_{};
    MonotonicTime last_peer_{};
    MonotonicTime started_ = MonotonicClock::now();
    std::string state_;
    std::string note_;
    std::string missing_; // what playing waits for, and nobody has
    bool is_update_posted_ = false;
    bool is_finished_ = false;
};

} // namespace minuteswarm
