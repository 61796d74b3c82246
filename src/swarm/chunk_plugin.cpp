#include "swarm/chunk_plugin.hpp"

#include "swarm/libtorrent_access.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_request.hpp>

#include <algorithm>
#include <array>

namespace minuteswarm {
namespace {

constexpr std::chrono::milliseconds idle_before_wake{250};
constexpr std::array<char, 5> unchoke{0, 0, 0, 1, 1}; // BEP 3

} // namespace

class ChunkPlugin::Peer final : public lt::peer_plugin {
public:
    Peer(
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

    void wake(MonotonicTime now) {
        if (!is_interested_ || now - last_request_ < idle_before_wake) return;
        last_request_ = now;
        connection_.send_buffer(unchoke.data(), static_cast<int>(unchoke.size()));
    }

private:
    void on_connected() override {
        set_no_delay(connection_);
        leave_oneself(connection_, receiver_.own_endpoint());
    }

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

    bool on_interested() override {
        is_interested_ = true;
        last_request_ = MonotonicClock::now();
        return false;
    }
    bool on_not_interested() override {
        is_interested_ = false;
        return false;
    }
    bool on_request(lt::peer_request const&) override {
        last_request_ = MonotonicClock::now();
        return false;
    }

    bool can_disconnect(lt::error_code const& error) override {
        // It has nothing for this node now; let go, it would be dialled again each second.
        return error != lt::errors::uninteresting_upload_peer;
    }

    void on_disconnect(lt::error_code const& error) override {
        if (error == lt::errors::too_many_corrupt_pieces) receiver_.on_corrupt(torrent_, endpoint_);
    }

    void sent_payload(int bytes) override { receiver_.on_payload(torrent_, endpoint_, 0, bytes); }

    lt::peer_connection_handle connection_;
    lt::torrent_handle torrent_;
    ChunkTorrentReceiver& receiver_;
    PeerEndpoint endpoint_;
    bool is_interested_ = false;
    MonotonicTime last_request_{};
};

ChunkPlugin::ChunkPlugin(lt::torrent_handle torrent, ChunkTorrentReceiver& receiver)
    : torrent_(std::move(torrent))
    , receiver_(receiver) {}

ChunkPlugin::~ChunkPlugin() = default;

void ChunkPlugin::wake_idle(MonotonicTime now) {
    std::erase_if(peers_, [](auto const& peer) { return peer.expired(); });
    for (auto const& peer : peers_) {
        if (auto const alive = peer.lock()) alive->wake(now);
    }
}

bool ChunkPlugin::on_pause() {
    return std::ranges::any_of(peers_, [](auto const& peer) { return !peer.expired(); });
}

std::shared_ptr<lt::peer_plugin>
ChunkPlugin::new_connection(lt::peer_connection_handle const& connection) {
    if (connection.type() != lt::connection_type::bittorrent) return nullptr;
    auto peer = std::make_shared<Peer>(connection, torrent_, receiver_);
    peers_.push_back(peer);
    return peer;
}

} // namespace minuteswarm
