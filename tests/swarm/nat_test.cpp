#include "support/dial_counter.hpp"
#include "support/swarm_node.hpp"

#include <boost/asio/ip/udp.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

using boost::asio::ip::udp;

template <class M>
std::size_t count_of(RawPeer const& peer) {
    return static_cast<std::size_t>(std::ranges::count_if(peer.received(), [](auto const& message) {
        return std::holds_alternative<M>(message);
    }));
}

template <class M>
M const& first_of(RawPeer const& peer) {
    return std::get<M>(*std::ranges::find_if(peer.received(), [](auto const& message) {
        return std::holds_alternative<M>(message);
    }));
}

PeerEndpoint at(std::uint16_t port) {
    return from_endpoint({boost::asio::ip::address_v4::loopback(), port});
}

ChannelHandshake listening_at(std::uint16_t port) {
    ChannelHandshake handshake;
    handshake.port = port;
    return handshake;
}

/// Where no TCP connection is taken; the first datagram that came.
class Datagram {
public:
    explicit Datagram(TestSwarm& swarm)
        : socket_(swarm.loop.io(), {boost::asio::ip::address_v4::loopback(), 0}) {
        swarm.driver.run([this] {
            socket_.async_receive_from(
                boost::asio::buffer(data_),
                sender_,
                [this](boost::system::error_code const&, std::size_t size) { size_ = size; }
            );
        });
    }
    [[nodiscard]] PeerEndpoint endpoint() const { return at(socket_.local_endpoint().port()); }
    [[nodiscard]] bool came() const { return size_ > 0; }
    [[nodiscard]] ByteView bytes() const { return ByteView{data_}.first(size_); }
    [[nodiscard]] std::uint16_t from_port() const { return sender_.port(); }

private:
    udp::socket socket_;
    std::array<std::uint8_t, 64> data_{};
    udp::endpoint sender_;
    std::size_t size_ = 0;
};

} // namespace

TEST_CASE("Who does not answer is asked for where it was named, and then dialled over uTP") {
    constexpr std::uint8_t utp_syn = 0x41; // BEP 29: type 4, version 1
    TestSwarm swarm;
    auto& viewer = swarm.add_viewer();
    Datagram const hidden{swarm};
    auto const introducer = swarm.connect(viewer, listening_at(7001));
    swarm.driver.run([&] { introducer->send(encode(PeersMessage{{{hidden.endpoint(), 0}}})); });
    REQUIRE(swarm.driver.until([&] { return count_of<RendezvousMessage>(*introducer) > 0; }));
    CHECK(first_of<RendezvousMessage>(*introducer).peer == hidden.endpoint());
    REQUIRE(swarm.driver.until([&] { return hidden.came(); }));
    CHECK(hidden.bytes()[0] == utp_syn);
    CHECK(hidden.from_port() == viewer.port());
}

TEST_CASE("Who answers is not asked for") {
    TestSwarm swarm;
    auto& viewer = swarm.add_viewer();
    DialCounter busy{swarm.loop};
    Datagram const hidden{swarm};
    auto const introducer = swarm.connect(viewer, listening_at(7001));
    swarm.driver.run([&] {
        introducer->send(encode(PeersMessage{{{busy.endpoint(), 0}, {hidden.endpoint(), 0}}}));
    });
    REQUIRE(swarm.driver.until([&] { return hidden.came(); }));
    CHECK(busy.dials() > 0);
    CHECK(swarm.driver.throughout(std::chrono::milliseconds{500}, [&] {
        return count_of<RendezvousMessage>(*introducer) == 1;
    }));
}

TEST_CASE("A neighbour is told who is about to connect to it, at a bounded pace") {
    TestSwarm swarm;
    auto& node = swarm.add_source();
    auto const asker = swarm.connect(node, listening_at(7001));
    auto const asked = swarm.connect(node, listening_at(7002));
    auto const other = swarm.connect(node, listening_at(7003));
    REQUIRE(swarm.driver.until([&] { return node.neighbours() == 3; }));
    swarm.driver.run([&] {
        asker->send(encode(RendezvousMessage{at(7009)})); // nobody's
        for (int i = 0; i < 200; ++i)
            asker->send(encode(RendezvousMessage{at(7002)}));
        asker->send(encode(GetPeersMessage{}));
    });
    REQUIRE(swarm.driver.until([&] { return count_of<PeersMessage>(*asker) == 2; }));
    swarm.driver.run([&] { asked->send(encode(GetPeersMessage{})); });
    REQUIRE(swarm.driver.until([&] { return count_of<PeersMessage>(*asked) == 2; }));
    CHECK(first_of<ConnectMessage>(*asked).peer == at(7001));
    CHECK(count_of<ConnectMessage>(*asked) >= limits::awaited_dials - 1);
    CHECK(count_of<ConnectMessage>(*asked) <= limits::awaited_dials + 2);
    CHECK(count_of<ConnectMessage>(*other) == 0);
    CHECK(node.channel().counters().strikes == 0);
}

TEST_CASE("Who is about to connect is sent a datagram from where this node listens") {
    constexpr std::size_t least_header = 20; // of uTP; the DHT has longer ones
    TestSwarm swarm;
    auto& node = swarm.add_viewer();
    auto const introducer = swarm.connect(node, listening_at(7001));
    Datagram const comer{swarm};
    swarm.driver.run([&] { introducer->send(encode(ConnectMessage{comer.endpoint()})); });
    REQUIRE(swarm.driver.until([&] { return comer.came(); }));
    CHECK(comer.from_port() == node.port());
    CHECK(comer.bytes().size() < least_header);
}
