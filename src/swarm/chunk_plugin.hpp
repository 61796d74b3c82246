#pragma once

#include "base/time.hpp"
#include "swarm/messages.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>

#include <memory>
#include <vector>

namespace minuteswarm {

/// What a chunk's (or event's) torrent reports, on the loop. Outlives the session's torrents.
struct ChunkTorrentReceiver {
    virtual ~ChunkTorrentReceiver() = default;
    [[nodiscard]] virtual lt::tcp::endpoint own_endpoint() const = 0; ///< where this node listens
    virtual void on_piece(lt::torrent_handle const& torrent, lt::piece_index_t piece) = 0;
    /// Payload from or to a peer, named by where it listens (port 0 while it has not said).
    virtual void
    on_payload(lt::torrent_handle const& torrent, PeerEndpoint const& peer, int down, int up) = 0;
    /// A peer was cut off since a piece that came from it alone failed its hash.
    virtual void on_corrupt(lt::torrent_handle const& torrent, PeerEndpoint const& peer) = 0;
};

/// Watches one torrent: which pieces pass, who gave and took what; switches Nagle's algorithm off,
/// and wakes peers that wait without need.
class ChunkPlugin final : public lt::torrent_plugin {
public:
    ChunkPlugin(lt::torrent_handle torrent, ChunkTorrentReceiver& receiver);
    ~ChunkPlugin() override;

    /// Unchokes once more every peer that is interested and has asked for nothing for a while.
    /// libtorrent looks again for what it could ask a peer for only when that peer says something:
    /// one that was idle while others had promised every block would not help out when they are
    /// late.
    void wake_idle(MonotonicTime now);

private:
    class Peer;

    std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& connection
    ) override;
    bool on_pause() override; ///< see dial_now
    void on_piece_pass(lt::piece_index_t piece) override { receiver_.on_piece(torrent_, piece); }

    lt::torrent_handle torrent_;
    ChunkTorrentReceiver& receiver_;
    std::vector<std::weak_ptr<Peer>> peers_;
};

} // namespace minuteswarm
