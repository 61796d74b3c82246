#include "base/limits.hpp"
#include "swarm/seal_checks.hpp"
#include "unit/edge/edge_builder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;
using Entry = SealChecks::Entry;

namespace {

ChannelId channel() {
    return edge_vectors::key().channel();
}

Block forged(Block block) {
    auto payload = *block.payload;
    payload[0] ^= 1;
    block.payload = std::make_shared<Bytes const>(payload);
    return block;
}

/// Its checks, and what they found so far.
struct Bench {
    EventLoop loop;
    std::vector<std::vector<Entry>> batches;
    std::size_t awaited = 0; ///< entries
    std::unique_ptr<SealChecks> checks =
        std::make_unique<SealChecks>(loop, channel(), [this](std::vector<Entry> batch) {
            batches.push_back(std::move(batch));
            if (entries() >= awaited) loop.stop();
        });

    [[nodiscard]] std::size_t entries() const {
        std::size_t count = 0;
        for (auto const& batch : batches)
            count += batch.size();
        return count;
    }
    void run_until(std::size_t count) {
        awaited = count;
        auto const stays = boost::asio::make_work_guard(loop.io());
        loop.run_for(10s);
        REQUIRE(entries() == count);
    }
};

} // namespace

TEST_CASE("What comes while a batch is checked is the next batch, and each has its own verdict") {
    Bench bench;
    auto const first = edge_builder::blocks(5);
    auto const second = edge_builder::blocks(6);
    bench.checks->start({1}, first[0]);
    bench.checks->start({1}, first[1]);
    bench.checks->start({2}, forged(first[2]));
    bench.checks->start({3}, second[0]);
    CHECK(bench.batches.empty());
    bench.run_until(4);

    REQUIRE(bench.batches.size() == 2);
    auto const& alone = bench.batches[0][0];
    CHECK(alone.from == NeighbourId{1});
    CHECK(alone.seal == first[0].claimed_seal());
    auto const& together = bench.batches[1];
    REQUIRE(together.size() == 3);
    CHECK(together[0].seal == first[1].claimed_seal());
    CHECK(edge_builder::is_same(together[0].block, first[1]));
    CHECK(together[1].from == NeighbourId{2});
    CHECK_FALSE(together[1].seal);
    CHECK(together[2].seal == second[0].claimed_seal());
}

TEST_CASE("Another channel's seal is not genuine") {
    std::vector<Entry> entries{{{1}, edge_builder::blocks(5)[0], {}}};
    auto other = channel();
    other.bytes[0] ^= 1;
    check_seals(entries, other);
    CHECK_FALSE(entries[0].seal);
    check_seals(entries, channel());
    CHECK(entries[0].seal);
}

TEST_CASE("When too much waits to be checked, the next block is checked before any other comes") {
    Bench bench;
    auto const block = edge_builder::blocks(5, {8 * limits::edge_payload})[0];
    REQUIRE(block.payload->size() == limits::edge_payload);
    auto const most = limits::edge_unchecked / limits::edge_payload;
    for (std::size_t i = 0; i < most; ++i)
        bench.checks->start({1}, block);
    CHECK(bench.batches.empty());
    bench.checks->start({2}, block);
    REQUIRE(bench.batches.size() == 1);
    CHECK(bench.batches[0][0].from == NeighbourId{2});
    CHECK(bench.batches[0][0].seal == block.claimed_seal());

    bench.run_until(most + 1);
    bench.checks->start({3}, block); // there is room again
    CHECK(bench.entries() == most + 1);
}

TEST_CASE("Whoever has gone before its batch is checked is told nothing") {
    Bench bench;
    bench.checks->start({1}, edge_builder::blocks(5)[0]);
    bench.checks.reset();
    bench.loop.run_for(10s);
    CHECK(bench.batches.empty());
}
