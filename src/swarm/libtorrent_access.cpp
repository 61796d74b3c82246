#include "swarm/libtorrent_access.hpp"

#include "base/limits.hpp"
#include "feed/link.hpp"

#include <libtorrent/aux_/socket_type.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_connection.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent.hpp>
#include <libtorrent/torrent_peer.hpp>
#include <libtorrent/version.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace minuteswarm {

namespace {

constexpr int most_failures = 31; // that libtorrent counts of a peer
constexpr std::uint8_t dials_at_once = 32;

/// How many peers a torrent may still dial without waiting for the session's tick. Explicit
/// instantiations may name private members (C++20, temp.spec.general).
struct ImmediateDials {
    using Member = std::uint8_t lt::torrent::*;
    friend Member member_of(ImmediateDials);
};
template <class Tag, typename Tag::Member member>
struct Opened {
    friend typename Tag::Member member_of(Tag) { return member; }
};
template struct Opened<ImmediateDials, &lt::torrent::m_connect_boost_counter>;

bool is_known_version() {
    return std::strcmp(lt::version(), LIBTORRENT_VERSION) == 0;
}

} // namespace

void set_no_delay(lt::peer_connection_handle const& connection) {
    if (!is_known_version()) return;
    auto const native = connection.native_handle();
    if (!native) return;
    auto* socket = boost::get<lt::tcp::socket>(&native->get_socket());
    if (!socket) return;
    lt::error_code ignored; // the connection may have gone already
    socket->set_option(lt::tcp::no_delay{true}, ignored);
}

void keep_little_unsent(lt::peer_connection_handle const& connection) {
    if (!is_known_version()) return;
    auto const native = connection.native_handle();
    auto* socket = native ? boost::get<lt::tcp::socket>(&native->get_socket()) : nullptr;
    if (!socket) return;
    auto const most = static_cast<int>(limits::unsent_in_kernel);
    ::setsockopt(socket->native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

Duration half_round_trip(lt::peer_connection_handle const& connection) {
    if (!is_known_version()) return {};
    auto const native = connection.native_handle();
    auto* socket = native ? boost::get<lt::tcp::socket>(&native->get_socket()) : nullptr;
    if (!socket) return {};
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket->native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
    return std::chrono::microseconds{info.tcpi_rtt / 2};
}

std::size_t unsent_bytes(lt::peer_connection_handle const& connection) {
    if (!is_known_version()) return 0;
    auto const native = connection.native_handle();
    return native ? static_cast<std::size_t>(native->send_buffer_size()) : 0;
}

void leave_alone(lt::peer_connection_handle const& connection, int times) {
    if (!is_known_version()) return;
    auto const native = connection.native_handle();
    auto* peer = native && !native->failed() ? native->peer_info_struct() : nullptr;
    if (peer != nullptr) peer->failcount = static_cast<unsigned>(times - 1) & 31U;
}

void give_up_dial(lt::peer_connection_handle connection) {
    connection.disconnect(
        lt::errors::timed_out, lt::operation_t::connect, lt::peer_connection_interface::normal
    );
}

void give_up_to_dial_anew(lt::peer_connection_handle const& connection) {
    auto const native = connection.native_handle();
    auto* peer = native && is_known_version() ? native->peer_info_struct() : nullptr;
    auto const is_kept = peer != nullptr && peer->connectable; // in the torrent's list
    give_up_dial(connection);
    if (is_kept) peer->last_connected = 0;
}

void send_datagram(std::uint16_t from_port, PeerEndpoint const& to) {
    auto const remote = to_endpoint(to);
    std::error_code none;
    std::filesystem::directory_iterator entry{"/dev/fd", none};
    for (; !none && entry != std::filesystem::directory_iterator{}; entry.increment(none)) {
        auto const name = entry->path().filename().string();
        int socket = -1;
        std::from_chars(name.data(), name.data() + name.size(), socket);
        int type = 0;
        socklen_t size = sizeof type;
        if (::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM)
            continue;
        lt::udp::endpoint local;
        size = static_cast<socklen_t>(local.capacity());
        if (::getsockname(socket, local.data(), &size) != 0) continue;
        if (local.port() != from_port || local.protocol().family() != remote.protocol().family())
            continue;
        ::sendto(socket, "", 1, MSG_DONTWAIT, remote.data(), static_cast<socklen_t>(remote.size()));
    }
}

lt::tcp::endpoint own_endpoint(lt::session_handle const& session) {
    auto const listen = session.get_settings().get_str(lt::settings_pack::listen_interfaces);
    auto const host_port = parse_host_port(listen, true);
    lt::error_code error;
    auto const address = lt::make_address(host_port ? host_port->host : std::string{}, error);
    return {error ? lt::address{} : address, session.listen_port()};
}

bool is_oneself(
    lt::tcp::endpoint const& local, lt::tcp::endpoint const& remote, lt::tcp::endpoint const& own
) {
    // A node at another address of the same host may have the same port.
    auto const address = own.address().is_unspecified() ? local.address() : own.address();
    return remote.port() == own.port() && remote.address() == address;
}

void leave_oneself(lt::peer_connection_handle connection, lt::tcp::endpoint const& own) {
    if (!is_oneself(connection.local_endpoint(), connection.remote(), own)) return;
    connection.disconnect(
        lt::errors::self_connection,
        lt::operation_t::bittorrent,
        lt::peer_connection_interface::failure
    );
}

void dial_now(lt::torrent_handle const& torrent) {
    auto const native = is_known_version() ? torrent.native_handle() : nullptr;
    if (native) (*native).*member_of(ImmediateDials{}) = dials_at_once;
    torrent.pause();
    torrent.resume();
}

void connect_peer(lt::torrent_handle const& torrent, PeerEndpoint const& peer) {
    for (int i = 0; i < most_failures; ++i) {
        torrent.connect_peer(to_endpoint(peer), lt::peer_info::tracker);
    }
}

void allow_dials(lt::torrent_handle const& torrent, std::size_t more) {
    auto const most = torrent.status({}).num_connections + static_cast<int>(more);
    torrent.set_max_connections(std::max(1, most)); // 0 would be no limit
}

lt::tcp::endpoint to_endpoint(PeerEndpoint const& endpoint) {
    lt::address_v6::bytes_type bytes{};
    std::copy(endpoint.address.begin(), endpoint.address.end(), bytes.begin());
    lt::address_v6 const v6{bytes};
    if (!v6.is_v4_mapped()) return {v6, endpoint.port};
    return {boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6), endpoint.port};
}

PeerEndpoint from_endpoint(lt::tcp::endpoint const& endpoint) {
    auto const address = endpoint.address();
    auto const v6 =
        address.is_v4()
            ? boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4())
            : address.to_v6();
    auto const bytes = v6.to_bytes();
    PeerEndpoint result;
    std::copy(bytes.begin(), bytes.end(), result.address.begin());
    result.port = endpoint.port();
    return result;
}

std::string to_text(PeerEndpoint const& endpoint) {
    auto const native = to_endpoint(endpoint);
    auto const host = native.address().to_string();
    return (native.address().is_v6() ? '[' + host + ']' : host) + ':' +
           std::to_string(native.port());
}

} // namespace minuteswarm
