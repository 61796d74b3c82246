#pragma once

#include "archive/event_folder.hpp"
#include "archive/record_file.hpp"
#include "archive/verify.hpp"
#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "feed/link.hpp"
#include "http/status.hpp"
#include "playback.hpp"
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

/// Wires archives to the swarm: verifies, repairs from peers, serves chunks, feeds and event
/// torrents.
class Seeder {
public:
    struct Options {
        std::vector<std::filesystem::path> folders;
        NetworkOptions network;
        std::vector<std::string> peers;
        std::vector<std::string> trackers;
        std::vector<std::string> web_seeds;
        std::optional<HttpServer::Options> http; ///< plays the first folder
    };

    struct Events {
        std::function<void(std::string const& endpoint)> on_listening;
        std::function<void(std::string const& url)> on_http;
        std::function<void(std::string const&)> on_notice;
        std::function<void(std::string const&)> on_warning;
        /// One per folder, when its link can be given out; the magnet is empty without an event
        /// torrent.
        std::function<void(std::filesystem::path const&, Link const&, std::string const& magnet)>
            on_ready;
        std::function<void(std::optional<Error>)> on_stopped;
    };

    /// Throws StartError for a folder that is no archive. One event is served from one folder.
    Seeder(EventLoop& loop, Options options, Events events);
    ~Seeder();

    void start();
    void stop() { finish(std::nullopt); }
    [[nodiscard]] Status status() const;

private:
    struct Seeded {
        EventFolder folder;
        std::shared_ptr<RecordFile> records;
        std::shared_ptr<Verification> verification;
        std::string title;
        std::optional<EndRecord> end;
        std::size_t published = 0; ///< records whose statements are in the feed
        ChunkNumber newest;
        ChunkNumber unchecked; ///< the first that the next verification looks at
        std::vector<ChannelHandshake::HeldRange> held;
        std::vector<ChunkKey> complete;
        std::size_t expired = 0;  ///< chunks that retention has deleted
        ChunkNumber last_expired; ///< of them
        bool is_verified = false;
        bool has_torrent = false;
        MonotonicTime next_dht_put{};
    };

    void open_swarm();
    void open_channel(Seeded& event);
    /// What of a feed is not published yet.
    struct Unpublished {
        std::vector<Statement> statements;
        std::string title;
        std::optional<EndRecord> end;
        std::size_t records = 0; ///< in the file
        ChunkNumber newest;
    };
    static Unpublished read_unpublished(RecordFile const& records, std::size_t published);
    void publish_feed(Seeded& event, Unpublished const& feed);
    void verify_next(std::size_t index);
    void on_checked(Seeded& event, Verification::Checked const& checked);
    void on_complete(Seeded& event, Record const& record);
    void on_verified(std::size_t index);
    void serve_event_torrent(Seeded const& event, std::optional<Bytes> const& info);
    void add_event_torrent(Seeded& event);
    void repair_next();
    void on_repaired(Seeded& event, ChunkKey const& key, Record const& record);
    void take_turns();
    void refresh(std::size_t index);
    void announce_ready();
    void put_dht_items();
    void put_dht_item(Seeded& event, std::optional<Bytes> const& stored);
    void tick();
    void finish(std::optional<Error> error);
    [[nodiscard]] Seeded* find(ChannelId const& channel, EventId event);
    [[nodiscard]] ChunkTorrents::Announce announcement() const;

    EventLoop& loop_;
    Options options_;
    Events events_;
    DiskStrand disk_;
    Store store_;
    std::unique_ptr<Swarm> swarm_;
    std::unique_ptr<Playback> playback_;
    std::vector<std::unique_ptr<Seeded>> seeded_;
    struct Repair {
        ChunkKey key;
        Record record;
        std::uint64_t present = 0; ///< good bytes
        MonotonicTime since{};     ///< it has no more of them
    };
    std::deque<Repair> to_repair_;
    std::vector<Repair> repairing_;
    std::uint64_t repaired_ = 0;
    std::vector<std::string> endpoints_;
    Timer timer_;
    Timer ready_timer_;
    MonotonicTime started_ = MonotonicClock::now();
    bool is_finished_ = false;
};

} // namespace minuteswarm
