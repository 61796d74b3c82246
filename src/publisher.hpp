#pragma once

#include "archive/event_writer.hpp"
#include "archive/key_file.hpp"
#include "archive/retention.hpp"
#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "chunk_steps.hpp"
#include "edge_source.hpp"
#include "feed/link.hpp"
#include "http/http_server.hpp"
#include "http/status.hpp"
#include "playback.hpp"
#include "segmenter/recording.hpp"
#include "store/disk_strand.hpp"
#include "store/store.hpp"
#include "swarm/swarm.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// Wires the stages of a broadcast: input → segmenter → archive → feed → swarm, and the own
/// player's outputs.
class Publisher {
public:
    struct Options {
        std::string input;
        std::string title;
        MediaTime chunk_duration = std::chrono::seconds{4};
        std::filesystem::path archive;
        Retention retain;
        bool is_new_event = false; ///< an interrupted one is ended instead of gone on with
        bool is_looped = false;
        bool as_fast_as_possible = false;
        std::optional<std::uint8_t> parity; ///< M, where it is not chosen by the bitrate
        NetworkOptions network;
        std::vector<std::string> peers;
        std::vector<std::string> trackers;
        std::vector<std::string> web_seeds;
        std::optional<HttpServer::Options> http;
    };

    /// What a person or a script wants to know; all on the loop.
    struct Events {
        std::function<void(Link const&, std::string const& listening)> on_ready;
        std::function<void(std::string const& url)> on_http;
        std::function<void(Record const&)> on_chunk;
        std::function<void(std::string const&)> on_notice;
        std::function<void(std::string const&)> on_warning;
        std::function<void(std::string const& magnet, std::filesystem::path const& folder)> on_end;
        /// Everything has stopped; an error if it was one.
        std::function<void(std::optional<Error>)> on_stopped;
    };

    /// Throws StartError. The key file stays locked as long as this lives.
    Publisher(EventLoop& loop, KeyFile key, Options options, Events events);
    ~Publisher();

    void start();
    /// Closes the chunk in progress, announces it and the end, serves for a short while. Twice: at
    /// once.
    void stop();

    [[nodiscard]] Status status() const;
    [[nodiscard]] std::filesystem::path const& folder() const { return folder_.path(); }

private:
    void open_swarm();
    void publish_known_records();
    void on_listening(std::string const& endpoint);
    void start_recording();
    void announce_link();

    void on_epoch(Recording::Epoch const& epoch);
    void begin_edge();
    void on_chunk(EventWriter::Closed const& closed);
    void keep(Record const& record);
    void state_bitrate(Record const& record);
    void expire_chunks();
    void on_input_over(std::optional<Error> error);
    void on_ended(EventWriter::Ended const& ended);
    void put_dht_item();
    void linger();
    void finish();
    void tick();
    [[nodiscard]] ChunkTorrents::Announce announcement() const;
    [[nodiscard]] bool is_empty() const; ///< no chunk was ever begun in this event
    [[nodiscard]] ChunkKey key_of(ChunkNumber number) const;

    EventLoop& loop_;
    KeyFile key_;
    Options options_;
    Events events_;
    DiskStrand disk_;
    std::shared_ptr<EventWriter> writer_;
    EventFolder folder_;
    RunId run_;
    Store store_;
    std::unique_ptr<Swarm> swarm_;
    ChannelSwarm* channel_ = nullptr;
    std::unique_ptr<ChunkSteps> steps_;
    std::unique_ptr<EdgeSource> edge_; ///< none without a live edge
    std::unique_ptr<Recording> recording_;
    std::unique_ptr<Playback> playback_;
    Timer timer_;
    Timer link_timer_;

    Descriptor descriptor_;
    EpochNumber epoch_;
    ChunkNumber next_number_{1};
    std::vector<std::string> endpoints_;
    std::deque<Record> newest_; ///< for the DHT item
    std::vector<KeptChunk> kept_;
    MonotonicTime next_dht_put_{};
    std::int64_t dht_sequence_ = 0;
    std::optional<Error> failure_;
    std::optional<MonotonicTime> ended_at_;
    std::uint64_t up_payload_seen_ = 0;
    MonotonicTime last_upload_{};
    MonotonicTime started_ = MonotonicClock::now();
    bool has_source_ = false;
    bool is_link_known_ = false;
    bool is_stopping_ = false;
    bool is_over_ = false;
    bool is_finished_ = false;
    std::string note_;
    std::string disk_failure_; ///< while the archive can't be written
};

} // namespace minuteswarm
