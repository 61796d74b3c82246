#pragma once

#include "base/event_loop.hpp"
#include "base/statements.hpp"
#include "store/store.hpp"
#include "swarm/chunk_plugin.hpp"
#include "swarm/store_disk.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session_handle.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// The chunk and event torrents of a session: added with all metadata and peers at once, bounded in
/// number, brought back on demand. Loop-only.
class ChunkTorrents final : private ChunkTorrentReceiver {
public:
    struct Events {
        std::function<void(ChunkKey const&)> on_progress; ///< more of it is verified
        std::function<void(ChunkKey const&)> on_complete;
        /// The first payload byte from a peer came this long after the chunk was wanted.
        std::function<void(MediaTime)> on_formed;
        std::function<void(PeerEndpoint const&, int down, int up)> on_payload;
        /// A peer gave bytes of a chunk that are not what its record states.
        std::function<void(ChunkKey const&, PeerEndpoint const&)> on_corrupt;
        /// A record that is in no memory, for a peer that asks for its chunk; optional.
        std::function<void(ChunkKey const&, std::function<void(std::optional<Record>)>)>
            load_record;
    };

    /// How a torrent is announced where ordinary clients look.
    struct Announce {
        std::vector<std::string> trackers;
        std::vector<std::string> web_seeds;
        bool dht = false;
        [[nodiscard]] bool is_public() const { return dht || !trackers.empty(); }
    };

    ChunkTorrents(
        EventLoop& loop,
        lt::session_handle session,
        Store& store,
        StoreDisk::Layouts& layouts,
        Events events
    );

    /// A chunk the store has in part or whole (its `verified` says which pieces): serves it. With
    /// `wanted`, fetches the rest from `peers`, dialled in this moment.
    void
    add(ChunkKey const& key,
        Record const& record,
        std::vector<PeerEndpoint> const& peers,
        bool wanted);
    void announce(ChunkKey const& key, Announce const& announce);
    /// Finds peers of a chunk that is being fetched.
    void ask_tracker(ChunkKey const& key, std::string const& url);
    /// A chunk that is served when somebody asks for it, as far as it is here. Its info-hash.
    InfoHash hold(ChunkKey const& key, Record const& record);
    /// Connects to more peers for a chunk that is being fetched.
    void add_peers(ChunkKey const& key, std::vector<PeerEndpoint> const& peers);
    void remove(ChunkKey const& key);
    /// Chunks of the same rendition before this one are fetched no more; what is here of them is
    /// still served.
    void stop_before(ChunkKey const& key);

    /// The torrent of a whole event, of which every byte is in the store.
    void add_event(
        InfoHash const& hash,
        Bytes const& info_dict,
        std::vector<ChunkKey> chunks,
        Announce const& announce
    );

    [[nodiscard]] bool is_active(ChunkKey const& key) const { return active_.contains(key); }
    /// Pieces are asked for, or have been sent since the last `limit_upload`.
    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] bool is_wanted(ChunkKey const& key) const;
    /// How many peers it was given to connect to.
    [[nodiscard]] std::size_t named_peers(ChunkKey const& key) const;
    [[nodiscard]] std::vector<ChunkKey> wanted() const;
    [[nodiscard]] std::size_t active() const { return active_.size(); }
    /// Wanted chunks that got nothing since the last call.
    struct Stuck {
        ChunkKey key;
        unsigned calls = 0; ///< in a row, this one included
    };
    std::vector<Stuck> stuck();

    /// Every peer that could ask for something and does not, looks again; four times a second.
    void wake_idle(MonotonicTime now);
    /// All chunks together upload at most so much, in bytes per second, what is left being shared
    /// by those that send; 0: without a limit. To be called four times a second while there is one.
    void limit_upload(std::uint64_t bytes_per_second);
    /// For the session plugin: adds a held chunk that a peer asks for.
    bool on_unknown(InfoHash const& hash, lt::add_torrent_params& params);
    /// Drops what nobody has used for a while; once a second.
    void tick(MonotonicTime now);

private:
    struct Active {
        Record record;
        lt::torrent_handle torrent;
        InfoHash hash;
        MonotonicTime last_used{};
        MonotonicTime wanted_at{};
        bool is_wanted = false; ///< else it asks for nothing
        bool is_formed = false;
        bool is_pinned = false; ///< announced in public: stays
        std::uint64_t payload = 0;
        std::uint64_t payload_before = 0;
        std::uint64_t sent = 0;
        std::uint64_t sent_before = 0;
        unsigned calls_without_payload = 0;
        std::size_t named_peers = 0; ///< that were given to it
    };

    [[nodiscard]] lt::tcp::endpoint own_endpoint() const override;
    void on_piece(lt::torrent_handle const& torrent, lt::piece_index_t piece) override;
    void on_payload(lt::torrent_handle const& torrent, PeerEndpoint const& peer, int down, int up)
        override;
    void on_corrupt(lt::torrent_handle const& torrent, PeerEndpoint const& peer) override;

    std::optional<lt::add_torrent_params>
    make_params(ChunkKey const& key, Record const& record, bool wanted);
    static void set_wanted(Active& active, bool wanted);
    Active& note_active(ChunkKey const& key, Record const& record, lt::torrent_handle torrent);
    std::map<ChunkKey, Active>::iterator drop(std::map<ChunkKey, Active>::iterator active);
    void keep_bounded();
    Active* find(lt::torrent_handle const& torrent, ChunkKey& key);
    void watch(lt::add_torrent_params& params);

    EventLoop& loop_;
    lt::session_handle session_;
    Store& store_;
    StoreDisk::Layouts& layouts_;
    Events events_;
    int upload_limit_ = 0; ///< of each one, bytes per second; 0: none
    std::map<ChunkKey, Active> active_;
    std::map<InfoHash, ChunkKey> held_;
    std::map<ChunkKey, Record> recent_; ///< of held chunks, the newest limits::feed_window
    std::map<InfoHash, lt::torrent_handle> event_torrents_;
    std::vector<std::weak_ptr<ChunkPlugin>> plugins_;
};

} // namespace minuteswarm
