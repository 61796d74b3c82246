#include "support/loopback_session.hpp"
#include "support/swarm_node.hpp"
#include "swarm/libtorrent_access.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

/// An ordinary BitTorrent client in a channel's swarm: it knows nothing of ms_channel.
class OrdinaryPeer {
public:
    explicit OrdinaryPeer(ChannelId const& channel)
        : session_(on_loopback()) {
        lt::add_torrent_params params;
        params.info_hashes.v1 = to_sha1(channel_info_hash(channel));
        params.save_path = ".";
        params.flags = {};
        session_.add_torrent(params);
    }

    [[nodiscard]] std::string address() const {
        return "127.0.0.1:" + std::to_string(session_.listen_port());
    }

private:
    lt::session session_;
};

} // namespace

TEST_CASE("Nodes that know only an ordinary client find each other by its peer exchange") {
    TestSwarm swarm;
    OrdinaryPeer const ordinary{swarm.key.channel()};
    auto& source = swarm.add({.role = TestSwarm::Role::source, .peers = {ordinary.address()}});
    auto& viewer = swarm.add({.role = TestSwarm::Role::viewer, .peers = {ordinary.address()}});
    REQUIRE(swarm.driver.until(
        [&] { return source.neighbours() == 1 && viewer.neighbours() == 1; },
        std::chrono::seconds{90} // peer exchange goes out once a minute
    ));
    auto const chunk = make_chunk(swarm.key, 1);
    swarm.driver.run([&] { source.publish(chunk, 2); });
    CHECK(swarm.driver.until([&] { return viewer.is_complete(chunk); }));
}

TEST_CASE("A node that listens at one address of several is seen at no other") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    swarm.add({.peers = {source.address()}, .host = "127.0.0.2"});
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    auto const& seen = source.channel().neighbourhood().all().begin()->second.endpoint;
    CHECK(to_endpoint(seen).address() == lt::make_address("127.0.0.2"));
}
