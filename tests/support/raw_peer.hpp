#pragma once

#include "base/bytes.hpp"
#include "base/event_loop.hpp"
#include "base/ids.hpp"
#include "swarm/messages.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace minuteswarm::test {

/// A peer of a channel's swarm over a bare socket: BEP 3 handshake, BEP 10 extension handshake, and
/// then whatever a test makes it say. Runs on the loop; closes with its last reference.
class RawPeer : public std::enable_shared_from_this<RawPeer> {
public:
    /// Connects to 127.0.0.1 and says `ms`, the value of the extension handshake's key.
    static std::shared_ptr<RawPeer>
    connect(EventLoop& loop, std::uint16_t port, InfoHash const& torrent, Bytes ms);

    /// One ms_channel message.
    void send(ByteView message);
    /// Another extension handshake; `listens_at` is the port that BEP 10 has a key for.
    void send_extension_handshake(ByteView ms, std::uint16_t listens_at = 0);
    /// Reads nothing from now on.
    void stop_reading() { is_reading_ = false; }
    void close();

    /// What the node said of itself, once it has.
    [[nodiscard]] std::optional<ChannelHandshake> const& node() const { return node_; }
    [[nodiscard]] bool is_open() const { return number_ != 0 && !is_closed_; }
    [[nodiscard]] bool is_closed() const { return is_closed_; }
    /// Every ms_channel message the node has sent.
    [[nodiscard]] std::vector<Message> const& received() const { return received_; }
    /// Extensions of BEP 10 that the node has announced.
    [[nodiscard]] std::set<std::string> const& extensions() const { return extensions_; }
    /// All statements in them.
    [[nodiscard]] std::vector<Statement> statements() const;

private:
    explicit RawPeer(EventLoop& loop)
        : socket_(loop.io()) {}

    void send_extension(std::uint8_t number, ByteView payload);
    void write(ByteView bytes);
    void write_next();
    void read_greeting();
    void read_length();
    void read_body(std::size_t length);
    void on_body();

    boost::asio::ip::tcp::socket socket_;
    Bytes pending_;
    Bytes writing_;
    Bytes incoming_;
    std::vector<Message> received_;
    std::optional<ChannelHandshake> node_;
    std::set<std::string> extensions_;
    std::uint8_t number_ = 0; // the node's for ms_channel
    bool is_reading_ = true;
    bool is_closed_ = false;
};

} // namespace minuteswarm::test
