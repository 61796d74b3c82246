#include "support/dial_counter.hpp"
#include "support/loop_driver.hpp"
#include "support/loopback_session.hpp"
#include "swarm/turnover_guard.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_status.hpp>

#include <list>
#include <memory>
#include <optional>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::test;

using std::chrono::seconds;

namespace {

constexpr int peers = 8;

/// A swarm in which nobody has anything.
lt::add_torrent_params empty_swarm() {
    lt::add_torrent_params params;
    params.info_hashes.v1 = lt::sha1_hash{"twenty bytes of hash"};
    params.save_path = ".";
    params.flags = {};
    return params;
}

/// See dial_now.
struct NobodyIsCutOff final : lt::torrent_plugin {
    bool on_pause() override { return true; }
};

} // namespace

TEST_CASE("A channel's connections are not exchanged for others, be there as many as there may") {
    EventLoop loop;
    LoopDriver driver{loop};
    auto settings = on_loopback();
    settings.settings.set_int(lt::settings_pack::tick_interval, 20);
    auto session = std::make_unique<lt::session>(std::move(settings), loop.io());
    lt::torrent_handle torrent;
    session->add_extension(std::make_shared<TurnoverGuard>(loop, [&] {
        return std::vector{torrent};
    }));
    auto params = empty_swarm();
    params.extensions.emplace_back([](lt::torrent_handle const&, lt::client_data_t) {
        return std::make_shared<NobodyIsCutOff>();
    });
    lt::tcp::endpoint own;
    driver.run([&] {
        torrent = session->add_torrent(std::move(params));
        own = {lt::make_address("127.0.0.1"), session->listen_port()};
    });

    std::list<lt::session> others;
    for (int i = 0; i < peers; ++i) {
        auto& other = others.emplace_back(on_loopback());
        other.add_torrent(empty_swarm()).connect_peer(own);
    }
    auto const connections = [&] { return torrent.status({}).num_connections; };
    REQUIRE(driver.until([&] { return connections() == peers; }));
    DialCounter somebody_else{loop};
    driver.run([&] {
        torrent.set_max_connections(peers);
        torrent.connect_peer(to_endpoint(somebody_else.endpoint()));
        REQUIRE(torrent.status({}).connect_candidates == 1);
    });
    // libtorrent's first turn comes ninety seconds after the start.
    CHECK(driver.throughout(seconds{95}, [&] { return connections() == peers; }));
    CHECK(somebody_else.dials() == 0);
    std::optional<lt::session_proxy> ending;
    driver.run([&] {
        CHECK(torrent.max_connections() == peers);
        CHECK_FALSE(torrent.status({}).flags & lt::torrent_flags::paused);
        ending = session->abort();
        session.reset();
    });
    driver.drain();
}
