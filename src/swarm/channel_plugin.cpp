#include "swarm/channel_plugin.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "swarm/libtorrent_access.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_info.hpp>

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr char extension_name[] = "ms_channel";
constexpr char handshake_key[] = "ms";
constexpr std::uint8_t own_message = 20; // libtorrent's own extensions end at 8
constexpr std::uint8_t extension_protocol =
    20; // BEP 10: the BitTorrent message that carries extensions

} // namespace

ChannelConnection::ChannelConnection(
    NeighbourId id, lt::peer_connection_handle connection, Receiver& receiver
)
    : id_(id)
    , connection_(std::move(connection))
    , receiver_(receiver)
    , connected_(MonotonicClock::now()) {
    if (!connection_.is_outgoing()) tune_socket();
}

PeerEndpoint ChannelConnection::remote() const {
    return from_endpoint(connection_.remote());
}

bool ChannelConnection::is_over_utp() const {
    lt::peer_info info;
    connection_.get_peer_info(info);
    return static_cast<bool>(info.flags & lt::peer_info::utp_socket);
}

std::string ChannelConnection::client() const {
    lt::peer_info info;
    connection_.get_peer_info(info);
    return info.client;
}

bool ChannelConnection::is_clogged() const {
    return unsent() > limits::unsent_messages;
}

std::size_t ChannelConnection::unsent() const {
    return unsent_bytes(connection_);
}

Duration ChannelConnection::half_round_trip() const {
    auto const measured = minuteswarm::half_round_trip(connection_);
    return measured == Duration{} ? greeting_ / 2 : measured; // uTP's is not told
}

bool ChannelConnection::is_dialling(PeerEndpoint const& peer) const {
    return connection_.is_outgoing() && connection_.is_connecting() && remote() == peer;
}

void ChannelConnection::tune_socket() {
    set_no_delay(connection_);
    keep_little_unsent(connection_);
}

void ChannelConnection::on_connected() {
    connected_ = MonotonicClock::now();
    tune_socket();
    leave_oneself(connection_, receiver_.own_endpoint());
    if (connection_.is_disconnecting() || receiver_.welcome(remote())) return;
    connection_.disconnect(
        lt::errors::no_error, lt::operation_t::connect, lt::peer_connection_interface::normal
    );
}

/// Less what libtorrent says of pieces, which a channel's torrent does not have.
void ChannelConnection::add_handshake(lt::entry& handshake) {
    for (auto const* key : {"complete_ago", "reqq"})
        handshake.dict().erase(key);
    auto& messages = handshake["m"].dict();
    for (auto const* key : {"lt_donthave", "share_mode", "upload_only"})
        messages.erase(key);
    messages[extension_name] = own_message;
    auto const own = receiver_.own_handshake();
    handshake[handshake_key] = std::string{as_text(own)};
}

bool ChannelConnection::on_extension_handshake(lt::bdecode_node const& handshake) {
    auto const messages = handshake.dict_find_dict("m");
    auto const number = messages ? messages.dict_find_int_value(extension_name, 0) : 0;
    auto const own = handshake.dict_find_string_value(handshake_key);
    if (number <= 0 || number > 255) return false;
    // A second one (BEP 10 allows it) may not wipe out what is known of the peer.
    if (remote_message_ != 0) return true;
    remote_message_ = static_cast<std::uint8_t>(number);
    greeting_ = MonotonicClock::now() - connected_;
    receiver_.on_open(*this, as_bytes({own.data(), own.size()}));
    return true;
}

bool ChannelConnection::on_extended(int length, int message, lt::span<char const> body) {
    if (message != own_message) return false;
    if (length > static_cast<int>(limits::message_size)) {
        close();
        return true;
    }
    if (static_cast<int>(body.size()) < length) return true; // called again as more comes
    receiver_.on_message(*this, as_bytes({body.data(), static_cast<std::size_t>(body.size())}));
    return true;
}

bool ChannelConnection::can_disconnect(lt::error_code const& error) {
    // Nobody in this swarm has or wants a piece; that is no reason to part.
    return error != lt::errors::upload_upload_connection &&
           error != lt::errors::uninteresting_upload_peer &&
           error != lt::errors::timed_out_no_interest;
}

void ChannelConnection::on_disconnect(lt::error_code const& error) {
    remote_message_ = 0;
    auto const have_crossed = error == lt::errors::duplicate_peer_id;
    receiver_.on_close(*this, have_crossed);
}

void ChannelConnection::send(ByteView message) {
    if (remote_message_ == 0 || connection_.is_disconnecting()) return;
    Bytes frame;
    frame.reserve(message.size() + 6);
    append_be(frame, static_cast<std::uint32_t>(message.size() + 2));
    frame.push_back(extension_protocol);
    frame.push_back(remote_message_);
    append(frame, message);
    connection_.send_buffer(
        reinterpret_cast<char const*>(frame.data()), static_cast<int>(frame.size())
    );
}

void ChannelConnection::close() {
    if (connection_.is_disconnecting()) return;
    connection_.disconnect(
        lt::errors::banned_by_ip_filter,
        lt::operation_t::bittorrent,
        lt::peer_connection_interface::peer_error
    );
}

std::shared_ptr<lt::peer_plugin>
ChannelPlugin::new_connection(lt::peer_connection_handle const& connection) {
    if (connection.type() != lt::connection_type::bittorrent) return nullptr;
    auto made = std::make_shared<ChannelConnection>(++last_id_, connection, receiver_);
    std::erase_if(connections_, [](auto const& other) { return other.expired(); });
    connections_.push_back(made);
    return made;
}

std::vector<lt::peer_connection_handle> ChannelPlugin::dials_to(PeerEndpoint const& peer) const {
    std::vector<lt::peer_connection_handle> found;
    for (auto const& weak : connections_) {
        auto const one = weak.lock();
        if (one && one->is_dialling(peer)) found.push_back(one->handle());
    }
    return found;
}

bool ChannelPlugin::on_pause() {
    return std::ranges::any_of(connections_, [](auto const& one) { return !one.expired(); });
}

} // namespace minuteswarm
