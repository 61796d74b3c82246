#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "swarm/messages.hpp"

#include <libtorrent/address.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/session_handle.hpp>
#include <libtorrent/sha1_hash.hpp>
#include <libtorrent/socket.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <string>

namespace minuteswarm {

/// Switches Nagle's algorithm off on a peer's TCP socket: libtorrent never does, and it costs round
/// trips. With those that refer here the one use of parts of libtorrent that are not public; does
/// nothing with any but the version it was compiled and tried with.
void set_no_delay(lt::peer_connection_handle const& connection);

/// Leaves at most limits::unsent_in_kernel to the kernel, so that control overtakes blocks also
/// where the line is narrower than known; less than the session's setting. See set_no_delay.
void keep_little_unsent(lt::peer_connection_handle const& connection);

/// Half the round trip to a peer as TCP measures it; 0 where that cannot be told, see set_no_delay.
Duration half_round_trip(lt::peer_connection_handle const& connection);

/// Bytes that wait for a peer to read; 0 where that cannot be told, see set_no_delay.
std::size_t unsent_bytes(lt::peer_connection_handle const& connection);

/// Of a connection that ends without having failed: libtorrent, which would dial its peer again
/// after `min_reconnect_time` as long as it may dial anybody, waits for so many times that (at most
/// 29), or until `connect_peer` names it. To be called before the connection has left its torrent.
/// See set_no_delay.
void leave_alone(lt::peer_connection_handle const& connection, int times);

/// Ends a connection that is under way, without a failure.
void give_up_dial(lt::peer_connection_handle connection);

/// The same, to a peer that can then be dialled at once, and not after `min_reconnect_time`. See
/// set_no_delay.
void give_up_to_dial_anew(lt::peer_connection_handle const& connection);

/// Sends a byte, which means nothing, from the UDP socket that listens at this port: a NAT takes
/// datagrams from where one has gone. libtorrent has no call for it; its socket is looked for among
/// the process's own.
void send_datagram(std::uint16_t from_port, PeerEndpoint const& to);

/// Where a session listens; the address is unspecified if that is at all of them.
lt::tcp::endpoint own_endpoint(lt::session_handle const& session);

/// Whether what was dialled, from `local` to `remote`, is the node itself that listens at `own`.
bool is_oneself(
    lt::tcp::endpoint const& local, lt::tcp::endpoint const& remote, lt::tcp::endpoint const& own
);

/// Cuts a connection to this very node and keeps it from being dialled again: a node's own endpoint
/// comes back to it from its peers, and libtorrent, which finds out by the handshake, remembers
/// that of the connection's other end and dials once a second for ever. To be called as soon as an
/// outgoing connection stands.
void leave_oneself(lt::peer_connection_handle connection, lt::tcp::endpoint const& own);

/// Dials the peers of a torrent's list in this moment; libtorrent's own look at it comes once a
/// second. A resume is the only call that does it, so the plugins of all torrents say of a pause
/// that it has been dealt with (`on_pause`) while anybody is connected: nobody is cut off by it.
/// The number of dials that libtorrent makes so is given back by a pause only with which all are,
/// and used up at once where nobody is left to dial: it is set anew. See set_no_delay.
void dial_now(lt::torrent_handle const& torrent);

/// Adds a peer to a torrent's list and lets it be dialled soon, however often it failed before: a
/// source that restarts is the same peer. (libtorrent waits longer after each failure, up to never,
/// and forgives one for each time that a tracker names the peer.)
void connect_peer(lt::torrent_handle const& torrent, PeerEndpoint const& peer);

/// Lets libtorrent dial so many peers of a torrent that it is not connected to, and no more. (It
/// cuts what is beyond a torrent's limit of connections: that never goes below what is there.)
void allow_dials(lt::torrent_handle const& torrent, std::size_t more);

lt::tcp::endpoint to_endpoint(PeerEndpoint const& endpoint);
PeerEndpoint from_endpoint(lt::tcp::endpoint const& endpoint);
std::string to_text(PeerEndpoint const& endpoint);

inline lt::sha1_hash to_sha1(InfoHash const& hash) {
    return lt::sha1_hash{reinterpret_cast<char const*>(hash.bytes.data())};
}

inline InfoHash from_sha1(lt::sha1_hash const& hash) {
    return *InfoHash::from({reinterpret_cast<std::uint8_t const*>(hash.data()), InfoHash::size});
}

} // namespace minuteswarm
