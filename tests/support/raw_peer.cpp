#include "support/raw_peer.hpp"

#include "base/big_endian.hpp"
#include "base/signature.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <libtorrent/bdecode.hpp>

#include <utility>

namespace minuteswarm::test {
namespace {

constexpr std::uint8_t extension = 20;
constexpr std::uint8_t own_number = 7;
constexpr std::size_t greeting_size = 68;

Bytes greeting(InfoHash const& torrent) {
    Bytes bytes{19};
    append(bytes, as_bytes("BitTorrent protocol"));
    append(bytes, Bytes{0, 0, 0, 0, 0, 0x10, 0, 0}); // BEP 10
    append(bytes, torrent.view());
    append(bytes, random_id<Sha1>().view());
    return bytes;
}

Bytes extension_handshake(ByteView ms, std::uint16_t listens_at) {
    auto bytes = to_bytes("d1:md10:ms_channeli" + std::to_string(own_number) + "ee2:ms");
    append(bytes, as_bytes(std::to_string(ms.size()) + ":"));
    append(bytes, ms);
    if (listens_at != 0) append(bytes, as_bytes("1:pi" + std::to_string(listens_at) + "e"));
    bytes.push_back('e');
    return bytes;
}

} // namespace

std::shared_ptr<RawPeer>
RawPeer::connect(EventLoop& loop, std::uint16_t port, InfoHash const& torrent, Bytes ms) {
    std::shared_ptr<RawPeer> peer{new RawPeer{loop}};
    peer->socket_.open(boost::asio::ip::tcp::v4());
    // One that stops reading is then soon noticed: sockets hold megabytes otherwise.
    peer->socket_.set_option(boost::asio::socket_base::receive_buffer_size{64 * 1024});
    peer->socket_.async_connect(
        {boost::asio::ip::address_v4::loopback(), port},
        [peer, torrent, ms = std::move(ms)](boost::system::error_code const& error) {
            if (error) return peer->close();
            peer->write(greeting(torrent));
            peer->send_extension_handshake(ms);
            peer->read_greeting();
        }
    );
    return peer;
}

void RawPeer::send(ByteView message) {
    send_extension(number_, message);
}

void RawPeer::send_extension_handshake(ByteView ms, std::uint16_t listens_at) {
    send_extension(0, extension_handshake(ms, listens_at));
}

void RawPeer::send_extension(std::uint8_t number, ByteView payload) {
    Bytes frame;
    append_be(frame, static_cast<std::uint32_t>(payload.size() + 2));
    frame.push_back(extension);
    frame.push_back(number);
    append(frame, payload);
    write(frame);
}

void RawPeer::close() {
    is_closed_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

std::vector<Statement> RawPeer::statements() const {
    std::vector<Statement> all;
    for (auto const& message : received_) {
        if (auto const* records = std::get_if<RecordsMessage>(&message)) {
            all.insert(all.end(), records->statements.begin(), records->statements.end());
        }
    }
    return all;
}

void RawPeer::write(ByteView bytes) {
    append(pending_, bytes);
    if (writing_.empty()) write_next();
}

void RawPeer::write_next() {
    if (pending_.empty() || is_closed_) return;
    writing_ = std::exchange(pending_, {});
    boost::asio::async_write(
        socket_,
        boost::asio::buffer(writing_),
        [self = shared_from_this()](boost::system::error_code const& error, std::size_t) {
            self->writing_.clear();
            if (error) return self->close();
            self->write_next();
        }
    );
}

void RawPeer::read_greeting() {
    incoming_.resize(greeting_size);
    boost::asio::async_read(
        socket_,
        boost::asio::buffer(incoming_),
        [self = shared_from_this()](boost::system::error_code const& error, std::size_t) {
            if (error) return self->close();
            self->read_length();
        }
    );
}

void RawPeer::read_length() {
    if (!is_reading_) return;
    incoming_.resize(sizeof(std::uint32_t));
    boost::asio::async_read(
        socket_,
        boost::asio::buffer(incoming_),
        [self = shared_from_this()](boost::system::error_code const& error, std::size_t) {
            if (error) return self->close();
            self->read_body(*BigEndianReader{self->incoming_}.take<std::uint32_t>());
        }
    );
}

void RawPeer::read_body(std::size_t length) {
    incoming_.resize(length);
    boost::asio::async_read(
        socket_,
        boost::asio::buffer(incoming_),
        [self = shared_from_this()](boost::system::error_code const& error, std::size_t) {
            if (error) return self->close();
            self->on_body();
            self->read_length();
        }
    );
}

void RawPeer::on_body() {
    if (incoming_.size() < 2 || incoming_[0] != extension) return;
    auto const payload = ByteView{incoming_}.subspan(2);
    if (incoming_[1] == own_number) {
        if (auto message = decode_message(payload)) received_.push_back(*std::move(message));
        return;
    }
    if (incoming_[1] != 0) return;
    lt::error_code error;
    auto const text = as_text(payload);
    auto const dict = lt::bdecode({text.data(), static_cast<std::ptrdiff_t>(text.size())}, error);
    if (error) return;
    auto const own = dict.dict_find_string_value("ms");
    auto const node = decode_handshake(as_bytes({own.data(), own.size()}));
    if (node) node_ = *node;
    auto const messages = dict.dict_find_dict("m");
    if (!messages) return;
    number_ = static_cast<std::uint8_t>(messages.dict_find_int_value("ms_channel", 0));
    for (int i = 0; i < messages.dict_size(); ++i)
        extensions_.emplace(messages.dict_at(i).first);
}

} // namespace minuteswarm::test
