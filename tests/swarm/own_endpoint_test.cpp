#include "support/dial_counter.hpp"
#include "support/loopback_session.hpp"
#include "support/swarm_node.hpp"
#include "swarm/channel_plugin.hpp"
#include "swarm/libtorrent_access.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <catch2/catch.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_status.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

/// What a connection tells of itself; nothing more than that one was made.
class Connected final : public ChannelConnection::Receiver {
public:
    std::uint16_t port = 0;
    std::atomic<int> outgoing = 0;
    bool welcomes = true;

private:
    Bytes own_handshake() override { return {}; }
    lt::tcp::endpoint own_endpoint() override {
        ++outgoing;
        return {lt::make_address("127.0.0.1"), port};
    }
    bool welcome(PeerEndpoint const&) override { return welcomes; }
    void on_open(ChannelConnection&, ByteView) override {}
    void on_message(ChannelConnection&, ByteView) override {}
    void on_close(ChannelConnection&, bool) override {}
};

lt::torrent_handle join(lt::session& session, Connected& receiver) {
    lt::add_torrent_params params;
    params.info_hashes.v1 = lt::sha1_hash{"a channel of nobody."};
    params.save_path = ".";
    params.flags = {};
    params.extensions.emplace_back([&](lt::torrent_handle const&, lt::client_data_t) {
        return std::make_shared<ChannelPlugin>(receiver);
    });
    return session.add_torrent(params);
}

/// What a dialled peer reads until the connection ends.
std::size_t words_said(bool welcomes) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
    Connected receiver;
    receiver.welcomes = welcomes;
    lt::session session{on_loopback()};
    receiver.port = session.listen_port();
    auto const torrent = join(session, receiver);
    torrent.connect_peer({lt::make_address("127.0.0.1"), acceptor.local_endpoint().port()});
    std::size_t said = 0;
    std::array<char, 68> handshake{}; // BEP 3
    acceptor.async_accept([&](auto const& failed, boost::asio::ip::tcp::socket socket) {
        if (failed) return;
        auto const dialled = std::make_shared<boost::asio::ip::tcp::socket>(std::move(socket));
        boost::asio::async_read(
            *dialled,
            boost::asio::buffer(handshake),
            [&, dialled](auto const&, std::size_t size) { said = size; }
        );
    });
    io.run_for(std::chrono::seconds{10});
    return said;
}

} // namespace

TEST_CASE("Who parts is not dialled again unless somebody names it; one that failed is") {
    TestSwarm swarm;
    auto& viewer = swarm.add_viewer();
    DialCounter at_one{swarm.loop};
    DialCounter at_other{swarm.loop};
    auto const enter = [&](DialCounter const& listening) {
        auto const before = viewer.neighbours();
        auto peer = swarm.connect(viewer);
        REQUIRE(swarm.driver.until([&] { return viewer.neighbours() > before; }));
        swarm.driver.run([&] { peer->send_extension_handshake({}, listening.endpoint().port); });
        return peer;
    };
    auto const one = enter(at_one);
    swarm.driver.run([&] { one->close(); });
    REQUIRE(swarm.driver.until([&] { return viewer.neighbours() == 0; }));
    auto const other = enter(at_other);
    swarm.driver.run([&] { other->send(Bytes(limits::message_size + 1)); });
    REQUIRE(swarm.driver.until([&] { return viewer.neighbours() == 0; }));
    CHECK(swarm.driver.until([&] { return at_other.dials() > 0; }));
    CHECK(at_one.dials() == 0);
}

TEST_CASE("A dialled peer that is not welcome is let go before a word is said") {
    CHECK(words_said(false) == 0);
    CHECK(words_said(true) == 68);
}

TEST_CASE("A node that is told its own endpoint dials that once, not once a second") {
    Connected receiver;
    lt::session session{on_loopback()};
    receiver.port = session.listen_port();
    auto const torrent = join(session, receiver);
    torrent.connect_peer({lt::make_address("127.0.0.1"), receiver.port});

    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    auto const is_settled = [&] { // nobody is connected, and nobody is to be dialled
        auto const status = torrent.status();
        return receiver.outgoing > 0 && status.num_connections == 0 &&
               status.connect_candidates == 0;
    };
    while (!is_settled() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    CHECK(is_settled());
    CHECK(receiver.outgoing == 1);
}

TEST_CASE("Another node of the same host with the same port is not the node itself") {
    auto const at = [](char const* address, std::uint16_t port) {
        return lt::tcp::endpoint{lt::make_address(address), port};
    };
    auto const own = at("192.0.2.1", 6881);
    CHECK(is_oneself(at("192.0.2.1", 40000), own, own));
    // The system dials one of its own addresses from that very address.
    CHECK_FALSE(is_oneself(at("192.0.2.2", 40000), at("192.0.2.2", 6881), own));
    CHECK_FALSE(is_oneself(at("192.0.2.1", 40000), at("192.0.2.1", 6882), own));

    auto const everywhere = at("0.0.0.0", 6881);
    CHECK(is_oneself(at("192.0.2.2", 40000), at("192.0.2.2", 6881), everywhere));
    CHECK_FALSE(is_oneself(at("192.0.2.2", 40000), at("198.51.100.1", 6881), everywhere));
}
