#include "swarm/chunk_plugin.hpp"

#include "swarm/libtorrent_access.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_request.hpp>

namespace minuteswarm {
namespace {

class ChunkPeer final : public lt::peer_plugin {
public:
    ChunkPeer(
        lt::peer_connection_handle connection,
        lt::torrent_handle torrent,
        ChunkTorrentReceiver& receiver
    )
        : connection_(std::move(connection))
        , torrent_(std::move(torrent))
        , receiver_(receiver)
        , endpoint_(from_endpoint(connection_.remote())) {
        if (connection_.is_outgoing()) return;
        set_no_delay(connection_);
        endpoint_.port = 0; // an incoming connection's own port says nothing
    }

private:
    void on_connected() override { set_no_delay(connection_); }

    bool on_extension_handshake(lt::bdecode_node const& handshake) override {
        auto const port = handshake.dict_find_int_value("p", 0);
        if (endpoint_.port == 0 && port > 0 && port <= UINT16_MAX) {
            endpoint_.port = static_cast<std::uint16_t>(port);
        }
        return true;
    }

    bool on_piece(lt::peer_request const& piece, lt::span<char const>) override {
        receiver_.on_payload(torrent_, endpoint_, piece.length, 0);
        return false;
    }

    void on_disconnect(lt::error_code const& error) override {
        if (error == lt::errors::too_many_corrupt_pieces) receiver_.on_corrupt(torrent_, endpoint_);
    }

    void sent_payload(int bytes) override { receiver_.on_payload(torrent_, endpoint_, 0, bytes); }

    lt::peer_connection_handle connection_;
    lt::torrent_handle torrent_;
    ChunkTorrentReceiver& receiver_;
    PeerEndpoint endpoint_;
};

} // namespace

std::shared_ptr<lt::peer_plugin>
ChunkPlugin::new_connection(lt::peer_connection_handle const& connection) {
    if (connection.type() != lt::connection_type::bittorrent) return nullptr;
    return std::make_shared<ChunkPeer>(connection, torrent_, receiver_);
}

} // namespace minuteswarm
