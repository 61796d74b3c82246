#pragma once

#include "base/bytes.hpp"
#include "swarm/messages.hpp"
#include "swarm/neighbourhood.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/socket.hpp>

#include <memory>
#include <string>
#include <vector>

namespace minuteswarm {

/// Carries `ms_channel` messages over one connection of the channel swarm (BEP 10). Frames and
/// cuts; what the messages mean is for the Receiver. Loop-only; owned by libtorrent's connection.
class ChannelConnection final : public lt::peer_plugin {
public:
    /// Whom connections report to; must outlive the session's connections.
    struct Receiver {
        virtual ~Receiver() = default;
        virtual Bytes own_handshake() = 0;
        virtual lt::tcp::endpoint own_endpoint() = 0; ///< where this node listens
        /// Whether a peer that has just been dialled is welcome.
        virtual bool welcome(PeerEndpoint const& dialled) = 0;
        virtual void on_open(ChannelConnection& connection, ByteView handshake) = 0;
        virtual void on_message(ChannelConnection& connection, ByteView message) = 0;
        /// Two that dialled each other at once `have_crossed`: libtorrent ends both connections.
        virtual void on_close(ChannelConnection& connection, bool have_crossed) = 0;
    };

    ChannelConnection(NeighbourId id, lt::peer_connection_handle connection, Receiver& receiver);

    [[nodiscard]] NeighbourId id() const { return id_; }
    [[nodiscard]] PeerEndpoint remote() const;
    [[nodiscard]] bool is_outgoing() const { return connection_.is_outgoing(); }
    [[nodiscard]] bool is_over_utp() const;
    [[nodiscard]] std::string client() const;
    [[nodiscard]] Duration half_round_trip() const;
    /// Bytes that it has not read yet.
    [[nodiscard]] std::size_t unsent() const;
    /// It lets what it is sent pile up.
    [[nodiscard]] bool is_clogged() const;

    /// Sends one message, if the peer speaks ms_channel.
    void send(ByteView message);
    /// It is still under way to this peer.
    [[nodiscard]] bool is_dialling(PeerEndpoint const& peer) const;
    /// Lets the connection go for good: libtorrent will not soon dial the peer again.
    void close();
    [[nodiscard]] lt::peer_connection_handle const& handle() const { return connection_; }

private:
    void tune_socket();
    lt::string_view type() const override { return "ms_channel"; }
    void add_handshake(lt::entry& handshake) override;
    void on_connected() override;
    bool on_extension_handshake(lt::bdecode_node const& handshake) override;
    bool on_extended(int length, int message, lt::span<char const> body) override;
    bool can_disconnect(lt::error_code const& error) override;
    void on_disconnect(lt::error_code const& error) override;

    NeighbourId id_;
    lt::peer_connection_handle connection_;
    Receiver& receiver_;
    std::uint8_t remote_message_ = 0; // the peer's number for ms_channel; 0 until it said so
    MonotonicTime connected_;
    Duration greeting_{}; // from connected to the peer's handshake: a round trip
};

/// Gives every BitTorrent connection of a channel's torrent a ChannelConnection.
class ChannelPlugin final : public lt::torrent_plugin {
public:
    explicit ChannelPlugin(ChannelConnection::Receiver& receiver)
        : receiver_(receiver) {}

    /// Connections that are still under way to this peer.
    [[nodiscard]] std::vector<lt::peer_connection_handle> dials_to(PeerEndpoint const& peer) const;

private:
    std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& connection
    ) override;
    bool on_pause() override; ///< see dial_now

    ChannelConnection::Receiver& receiver_;
    NeighbourId last_id_;
    std::vector<std::weak_ptr<ChannelConnection>> connections_;
};

} // namespace minuteswarm
