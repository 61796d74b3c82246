#include "support/swarm_node.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

constexpr std::uint64_t chunk_count = limits::active_chunk_torrents + 10;

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
