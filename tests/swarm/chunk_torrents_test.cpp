#include "support/dial_counter.hpp"
#include "support/loopback_session.hpp"
#include "support/swarm_node.hpp"
#include "support/temp_folder.hpp"
#include "swarm/libtorrent_access.hpp"
#include "torrent/info_dict.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

constexpr std::uint64_t chunk_count = limits::active_chunk_torrents + 10;

/// An ordinary client with a torrent of a chunk of which it has nothing and wants nothing, as nodes
/// have that playing has left behind; counts who connects to it.
class LeftBehind {
public:
    LeftBehind(ChannelId const& channel, Record const& record)
        : connections_(std::make_shared<std::atomic<int>>(0))
        , session_(on_loopback()) {
        auto torrent = to_bytes("d4:info");
        append(torrent, make_info_dict(channel, record).bytes);
        torrent.push_back('e');
        lt::span<char const> const bytes{
            reinterpret_cast<char const*>(torrent.data()), std::ssize(torrent)};
        lt::add_torrent_params params;
        params.ti = std::make_shared<lt::torrent_info>(bytes, lt::from_span);
        params.save_path = folder_.path().string();
        params.flags = lt::torrent_flags::upload_mode;
        params.extensions.emplace_back([connections = connections_](
                                           lt::torrent_handle const&, lt::client_data_t
                                       ) { return std::make_shared<Plugin>(connections); });
        session_.add_torrent(std::move(params));
    }
    [[nodiscard]] PeerEndpoint endpoint() const {
        return from_endpoint({lt::make_address("127.0.0.1"), session_.listen_port()});
    }
    [[nodiscard]] int connections() const { return *connections_; }

private:
    struct Plugin final : lt::torrent_plugin {
        explicit Plugin(std::shared_ptr<std::atomic<int>> connections)
            : connections_(std::move(connections)) {}
        std::shared_ptr<lt::peer_plugin>
        new_connection(lt::peer_connection_handle const&) override {
            ++*connections_;
            return nullptr;
        }
        std::shared_ptr<std::atomic<int>> connections_;
    };

    TempFolder folder_;
    std::shared_ptr<std::atomic<int>> connections_;
    lt::session session_;
};

std::size_t active(SwarmNode& node) {
    return node.swarm().chunks().active();
}

} // namespace

TEST_CASE("A chunk whose torrent was dropped for newer ones is served when a peer asks") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto const oldest = make_chunk(swarm.key, 1, limits::MiB);
    swarm.driver.run([&] {
        source.serve(oldest, oldest.bytes);
        for (std::uint64_t number = 2; number <= chunk_count; ++number) {
            auto const chunk = make_chunk(swarm.key, number, limits::piece_length_min);
            source.serve(chunk, chunk.bytes);
            CHECK(active(source) <= limits::active_chunk_torrents);
        }
        CHECK(active(source) == limits::active_chunk_torrents);
        CHECK_FALSE(source.swarm().chunks().is_active(source.key_of(oldest.id())));
        source.channel().publish(oldest.statement, test_event); // so that only this one is wanted
    });
    auto& viewer = swarm.add_viewer(source);
    std::size_t most = 0;
    CHECK(swarm.driver.until([&] {
        most = std::max(most, active(source));
        return viewer.is_complete(oldest);
    }));
    CHECK(source.given() >= oldest.record.size);
    // One more while the loop passes from the question to the answer.
    CHECK(most <= limits::active_chunk_torrents + 1);
    CHECK(swarm.driver.until([&] { return active(source) == limits::active_chunk_torrents; }));
}

TEST_CASE("A viewer takes any number of chunks with a bounded number of torrents") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto& viewer = swarm.add_viewer(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    std::vector<TestChunk> chunks;
    for (std::uint64_t number = 1; number <= chunk_count; ++number) {
        chunks.push_back(make_chunk(swarm.key, number, 4 * limits::piece_length_min));
        swarm.driver.run([&] { source.publish(chunks.back(), 2); });
        REQUIRE(swarm.driver.until([&] { return viewer.is_complete(chunks.back()); }));
        REQUIRE(active(viewer) <= limits::active_chunk_torrents);
    }
    CHECK(active(viewer) == limits::active_chunk_torrents);
    CHECK(std::ranges::all_of(chunks, [&](auto const& chunk) { return viewer.is_complete(chunk); })
    );
}

TEST_CASE("A chunk that playing has passed is asked for no more, until it is wanted again") {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto& viewer = swarm.add_viewer(source);
    REQUIRE(swarm.driver.until([&] { return source.neighbours() == 1; }));
    auto const passed = make_chunk(swarm.key, 1);
    auto const next = make_chunk(swarm.key, 2);
    swarm.driver.run([&] { source.channel().publish(passed.statement, test_event); });
    REQUIRE(swarm.driver.until([&] { return viewer.swarm().chunks().wanted().size() == 1; }));
    swarm.driver.run([&] { viewer.swarm().chunks().stop_before(viewer.key_of(next.id())); });
    CHECK(viewer.swarm().chunks().wanted().empty());

    swarm.driver.run([&] {
        source.publish(passed, 2);
        source.publish(next, 2);
    });
    REQUIRE(swarm.driver.until([&] { return viewer.is_complete(next); }));
    CHECK_FALSE(viewer.is_complete(passed));
    CHECK(source.given() == next.record.size);

    swarm.driver.run([&] { viewer.swarm().fetch(viewer.key_of(passed.id()), passed.record); });
    CHECK(swarm.driver.until([&] { return viewer.is_complete(passed); }));
}

TEST_CASE("Nobody is dialled for a chunk that playing has passed, nor again who has nothing to give"
) {
    TestSwarm swarm;
    auto& source = swarm.add_source();
    auto& viewer = swarm.add_viewer(source);
    auto const passed = make_chunk(swarm.key, 1);
    auto const next = make_chunk(swarm.key, 2);
    LeftBehind const left_behind{swarm.key.channel(), next.record};
    DialCounter const passed_peer{swarm.loop};
    DialCounter const next_peer{swarm.loop};
    swarm.driver.run([&] {
        auto& chunks = viewer.swarm().chunks();
        auto const of_next = {next_peer.endpoint(), left_behind.endpoint()};
        chunks.add(viewer.key_of(passed.id()), passed.record, {passed_peer.endpoint()}, true);
        chunks.add(viewer.key_of(next.id()), next.record, of_next, true);
    });
    REQUIRE(swarm.driver.until([&] {
        return passed_peer.dials() > 0 && next_peer.dials() > 0 && left_behind.connections() > 0;
    }));
    swarm.driver.run([&] { viewer.swarm().chunks().stop_before(viewer.key_of(next.id())); });
    auto const before = passed_peer.dials();
    REQUIRE(swarm.driver.until([&, later = next_peer.dials() + 3] {
        return next_peer.dials() >= later;
    }));
    CHECK(passed_peer.dials() == before);
    CHECK(left_behind.connections() == 1);
}
