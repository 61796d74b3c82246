#include "store/store.hpp"
#include "support/loop_driver.hpp"
#include "support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <future>
#include <limits>
#include <optional>

using namespace minuteswarm;

namespace {

constexpr std::size_t block = 1000;

ChunkKey key(std::uint64_t number) {
    return {ChannelId{}, {1}, {0}, {number}};
}

SharedBytes bytes_of(std::size_t size, std::uint8_t first = 0) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(first + i * 7);
    return std::make_shared<Bytes const>(std::move(bytes));
}

/// A store with its loop and disk; every call runs on the loop and waits for its answer.
struct Bench {
    explicit Bench(std::size_t memory = limits::chunk_memory)
        : store(loop, disk, {.memory = memory}) {}

    struct Answer {
        DiskError error;
        SharedBytes bytes;
    };

    DiskError write(ChunkKey const& chunk, std::uint64_t offset, SharedBytes bytes) {
        auto const answer = std::make_shared<std::optional<DiskError>>();
        driver.run([&] {
            store.write(chunk, offset, std::move(bytes), [answer](DiskError error) {
                *answer = error;
            });
        });
        REQUIRE(driver.until([answer] { return answer->has_value(); }));
        return **answer;
    }

    Answer read(ChunkKey const& chunk, std::uint64_t offset, std::size_t length) {
        auto const answer = std::make_shared<std::optional<Answer>>();
        driver.run([&] {
            store.read(chunk, offset, length, [answer](DiskError error, SharedBytes bytes) {
                *answer = Answer{error, std::move(bytes)};
            });
        });
        REQUIRE(driver.until([answer] { return answer->has_value(); }));
        return **answer;
    }

    test::TempFolder folder;
    EventLoop loop;
    test::LoopDriver driver{loop};
    DiskStrand disk{loop};
    Store store;
};

Bytes file_bytes(std::filesystem::path const& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("A store gives back what was written, and the file has it") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", 2 * block);
    auto const bytes = bytes_of(2 * block);
    CHECK_FALSE(bench.write(key(1), 0, bytes));
    auto const answer = bench.read(key(1), 0, 2 * block);
    REQUIRE(answer.bytes);
    CHECK_FALSE(answer.error);
    CHECK((*answer.bytes == *bytes));
    CHECK((file_bytes(bench.folder / "chunk") == *bytes));
    CHECK(bench.store.memory_used() == 2 * block);
}

TEST_CASE("A store answers a read before the write behind it has reached the disk") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", block);
    SharedBytes got;
    bool is_called_at_once = false;
    bench.driver.run([&] {
        bench.store.write(key(1), 0, bytes_of(block), {});
        bench.store.read(key(1), 100, 50, [&](DiskError, SharedBytes bytes) { got = bytes; });
        is_called_at_once = got != nullptr;
    });
    CHECK_FALSE(is_called_at_once);
    REQUIRE(bench.driver.until([&] { return got != nullptr; }));
    CHECK(std::equal(got->begin(), got->end(), bytes_of(block)->begin() + 100));
}

TEST_CASE("A store puts a read together from several blocks, also overlapping ones") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", 3 * block);
    auto const all = bytes_of(3 * block);
    auto const part = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        return std::make_shared<Bytes const>(all->begin() + begin, all->begin() + end);
    };
    bench.write(key(1), 0, part(0, 1200));
    bench.write(key(1), 500, part(500, 700));
    bench.write(key(1), 1000, part(1000, 3000));
    auto const answer = bench.read(key(1), 100, 2500);
    REQUIRE(answer.bytes);
    CHECK(std::equal(answer.bytes->begin(), answer.bytes->end(), all->begin() + 100));
    CHECK((file_bytes(bench.folder / "chunk") == *all));
}

TEST_CASE("A store reads bytes that were written last, whichever block they came in") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", block);
    bench.write(key(1), 0, bytes_of(block, 1));
    bench.write(key(1), 200, bytes_of(100, 99));
    auto const answer = bench.read(key(1), 0, block);
    REQUIRE(answer.bytes);
    CHECK((*answer.bytes == file_bytes(bench.folder / "chunk")));
}

TEST_CASE("A store keeps its memory small and then reads from the file") {
    constexpr std::size_t memory = 3 * block;
    Bench bench{memory};
    for (std::uint64_t number = 1; number <= 10; ++number) {
        bench.store.add(key(number), bench.folder / std::to_string(number), block);
        bench.write(key(number), 0, bytes_of(block, static_cast<std::uint8_t>(number)));
        CHECK(bench.store.memory_used() <= memory);
    }
    CHECK(bench.store.memory_used() == memory);
    for (std::uint64_t number = 1; number <= 10; ++number) {
        auto const answer = bench.read(key(number), 0, block);
        REQUIRE(answer.bytes);
        CHECK((*answer.bytes == *bytes_of(block, static_cast<std::uint8_t>(number))));
    }
}

TEST_CASE("A store that remembers what is in the file evicts the oldest first") {
    Bench bench{2 * block};
    auto const file = bench.folder / "chunk";
    auto const all = bytes_of(3 * block);
    bench.store.add(key(1), file, 3 * block);
    bench.driver.run([&] {
        for (std::uint64_t i = 0; i < 3; ++i) {
            auto const from = all->begin() + static_cast<std::ptrdiff_t>(i * block);
            bench.store.remember(
                key(1),
                i * block,
                std::make_shared<Bytes const>(from, from + static_cast<std::ptrdiff_t>(block))
            );
        }
    });
    CHECK(bench.store.memory_used() == 2 * block);
    CHECK(bench.read(key(1), 2 * block, block).bytes);
    CHECK(bench.read(key(1), 0, block).error); // only there in memory, and gone
}

TEST_CASE("A store refuses what lies beyond a chunk's end and chunks it does not know") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", block);
    bench.write(key(1), 0, bytes_of(block));
    constexpr auto far = std::numeric_limits<std::uint64_t>::max();
    CHECK(bench.read(key(1), 1, block).error);
    CHECK(bench.read(key(1), far, 2).error);
    CHECK(bench.write(key(1), 1, bytes_of(block)));
    CHECK(bench.write(key(1), far, bytes_of(2)));
    CHECK(bench.read(key(2), 0, 1).error);
    CHECK(bench.write(key(2), 0, bytes_of(1)));
    bench.driver.run([&] { bench.store.remember(key(1), far, bytes_of(2)); });
    CHECK(bench.store.memory_used() == block);
    CHECK(file_bytes(bench.folder / "chunk").size() == block);
}

TEST_CASE("A store reports a missing byte of a short file as an error") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", 2 * block);
    std::ofstream{bench.folder / "chunk"} << "short";
    auto const answer = bench.read(key(1), 0, block);
    CHECK(answer.error);
    CHECK_FALSE(answer.bytes);
}

TEST_CASE("A store tells once that the disk fails and once that it works again") {
    Bench bench;
    std::vector<bool> states;
    bench.store.on_disk_state = [&](DiskError error) { states.push_back(error.failed()); };
    bench.store.add(key(1), bench.folder / "missing" / "chunk", 2 * block);
    CHECK(bench.write(key(1), 0, bytes_of(block)));
    CHECK(bench.write(key(1), block, bytes_of(block)));
    CHECK(states == std::vector<bool>{true});
    CHECK(bench.store.is_disk_failing());
    CHECK(bench.read(key(1), 0, 2 * block).bytes); // still in memory
    std::filesystem::create_directory(bench.folder / "missing");
    CHECK_FALSE(bench.write(key(1), 0, bytes_of(block)));
    CHECK(states == std::vector<bool>{true, false});
    CHECK_FALSE(bench.store.is_disk_failing());
}

TEST_CASE("A store no longer calls verified what left the memory without reaching the disk") {
    Bench bench{2 * block};
    bench.store.add(key(1), bench.folder / "missing" / "chunk", 2 * block);
    CHECK(bench.write(key(1), 0, bytes_of(block)));
    CHECK(bench.write(key(1), block, bytes_of(block)));
    bench.driver.run([&] { bench.store.mark_verified(key(1), 0, 2 * block); });
    CHECK(bench.store.is_complete(key(1))); // readable while it is in memory
    bench.store.add(key(2), bench.folder / "chunk", block);
    CHECK_FALSE(bench.write(key(2), 0, bytes_of(block)));
    CHECK(bench.store.memory_used() == 2 * block);
    CHECK_FALSE(bench.store.is_complete(key(1)));
    CHECK(bench.store.verified(key(1)).contiguous_end(0) == 0);
    CHECK(bench.store.verified(key(1)).contiguous_end(block) == 2 * block);
    CHECK(bench.store.disk_used() == block);
}

TEST_CASE("A store keeps calling verified what it wrote again once the disk worked") {
    Bench bench{block};
    bench.store.add(key(1), bench.folder / "missing" / "chunk", block);
    CHECK(bench.write(key(1), 0, bytes_of(block)));
    std::filesystem::create_directory(bench.folder / "missing");
    CHECK_FALSE(bench.write(key(1), 0, bytes_of(block)));
    bench.driver.run([&] { bench.store.mark_verified(key(1), 0, block); });
    bench.store.add(key(2), bench.folder / "chunk", block);
    CHECK_FALSE(bench.write(key(2), 0, bytes_of(block)));
    CHECK(bench.store.is_complete(key(1)));
}

TEST_CASE("A store forgets a removed chunk, and unlinks its file when told") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "kept", block);
    bench.store.add(key(2), bench.folder / "gone", block);
    bench.write(key(1), 0, bytes_of(block));
    bench.driver.run([&] {
        bench.store.mark_verified(key(2), 0, block);
        bench.store.write(key(2), 0, bytes_of(block), {});
        bench.store.remove(key(1), false);
        bench.store.remove(key(2), true);
    });
    CHECK_FALSE(bench.store.has(key(1)));
    CHECK(bench.store.memory_used() == 0);
    CHECK(bench.store.disk_used() == 0);
    CHECK(bench.read(key(1), 0, 1).error);
    bench.disk.finish();
    CHECK(std::filesystem::exists(bench.folder / "kept"));
    CHECK_FALSE(std::filesystem::exists(bench.folder / "gone"));
}

TEST_CASE("A chunk that is added again after its removal is written anew") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", block);
    bench.driver.run([&] {
        bench.store.write(key(1), 0, bytes_of(block, 1), {});
        bench.store.remove(key(1), true);
        bench.store.add(key(1), bench.folder / "chunk", block);
    });
    CHECK_FALSE(bench.write(key(1), 0, bytes_of(block, 2)));
    CHECK((file_bytes(bench.folder / "chunk") == *bytes_of(block, 2)));
}

TEST_CASE("A chunk is complete when all of its bytes are verified") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", 2 * block);
    CHECK_FALSE(bench.store.is_complete(key(1)));
    bench.store.mark_verified(key(1), block, 5 * block); // beyond the end: as far as it goes
    CHECK_FALSE(bench.store.is_complete(key(1)));
    CHECK(bench.store.disk_used() == block);
    bench.store.mark_verified(key(1), 0, block);
    CHECK(bench.store.is_complete(key(1)));
    CHECK(bench.store.disk_used() == 2 * block);
    CHECK(bench.store.size(key(1)) == 2 * block);
    CHECK_FALSE(bench.store.is_complete(key(2)));
    CHECK(bench.store.verified(key(2)).total() == 0);
}

TEST_CASE("A chunk of unknown size takes bytes anywhere and is not complete before that is told") {
    Bench bench;
    auto const file = bench.folder / "chunk";
    bench.store.add(key(1), file, std::nullopt);
    CHECK_FALSE(bench.write(key(1), 5 * block, bytes_of(block, 1)));
    CHECK_FALSE(bench.write(key(1), 0, bytes_of(block, 2)));
    CHECK(bench.write(key(1), limits::chunk_size, bytes_of(1)));
    CHECK(bench.write(key(1), std::numeric_limits<std::uint64_t>::max(), bytes_of(1)));
    auto const answer = bench.read(key(1), 5 * block, block);
    REQUIRE(answer.bytes);
    CHECK((*answer.bytes == *bytes_of(block, 1)));

    bench.store.mark_verified(key(1), 0, std::numeric_limits<std::uint64_t>::max());
    CHECK(bench.store.verified(key(1)).total() == limits::chunk_size);
    CHECK_FALSE(bench.store.is_complete(key(1)));
    CHECK(bench.store.size(key(1)) == 0);
    bench.driver.run([&] { bench.store.set_size(key(1), 6 * block); });
    CHECK(bench.store.is_complete(key(1)));
    CHECK(bench.store.size(key(1)) == 6 * block);
    CHECK(bench.store.disk_used() == 6 * block);
    bench.driver.run([&] { bench.store.set_size(key(1), 7); }); // the first statement holds
    bench.store.add(key(1), file, 7);
    CHECK(bench.store.size(key(1)) == 6 * block);
    CHECK(bench.read(key(1), 5 * block, block).bytes);
    CHECK(bench.write(key(1), 6 * block, bytes_of(1)));
}

TEST_CASE("A chunk of unknown size keeps its memory small, too") {
    Bench bench{2 * block};
    bench.store.add(key(1), bench.folder / "chunk", std::nullopt);
    for (std::uint64_t i = 0; i < 8; ++i)
        bench.write(key(1), i * block, bytes_of(block, static_cast<std::uint8_t>(i)));
    CHECK(bench.store.memory_used() == 2 * block);
    auto const answer = bench.read(key(1), 0, block);
    REQUIRE(answer.bytes);
    CHECK((*answer.bytes == *bytes_of(block, 0)));
}

TEST_CASE("A chunk whose size is told drops what it has beyond that") {
    Bench bench;
    auto const file = bench.folder / "chunk";
    bench.store.add(key(1), file, std::nullopt);
    auto const all = bytes_of(2 * block);
    bench.driver.run([&] {
        bench.store.write(key(1), 0, all, {});
        bench.store.write(key(1), 2 * block, bytes_of(block), {}); // still queued when it is cut
        bench.store.mark_verified(key(1), 0, 3 * block);
        bench.store.set_size(key(1), block + 100);
    });
    CHECK(bench.store.memory_used() == block + 100);
    CHECK(bench.store.verified(key(1)).total() == block + 100);
    CHECK(bench.store.is_complete(key(1)));
    auto const answer = bench.read(key(1), block, 100);
    REQUIRE(answer.bytes);
    CHECK(std::equal(answer.bytes->begin(), answer.bytes->end(), all->begin() + block));
    CHECK(bench.read(key(1), block, 101).error);
    bench.disk.finish();
    CHECK((file_bytes(file) == Bytes(all->begin(), all->begin() + block + 100)));
}

TEST_CASE("A store takes back what it took for verified") {
    Bench bench;
    bench.store.add(key(1), bench.folder / "chunk", 4 * block);
    bench.store.mark_verified(key(1), 0, 4 * block);
    bench.driver.run([&] {
        bench.store.unverify(key(1), block, 2 * block);
        bench.store.unverify(key(2), 0, block);
    });
    CHECK_FALSE(bench.store.is_complete(key(1)));
    CHECK(bench.store.disk_used() == 3 * block);
    CHECK(bench.store.verified(key(1)).contiguous_end(0) == block);
    CHECK_FALSE(bench.write(key(1), block, bytes_of(block)));
    bench.store.mark_verified(key(1), block, 2 * block);
    CHECK(bench.store.is_complete(key(1)));
}

TEST_CASE("A disk strand runs every job before it is finished, in order") {
    EventLoop loop;
    DiskStrand disk{loop, 10};
    std::vector<int> order;
    for (int i = 0; i < 100; ++i)
        disk.run(1, [&order, i] { order.push_back(i); });
    disk.finish();
    REQUIRE(order.size() == 100);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK_FALSE(disk.is_full());
}

TEST_CASE("A disk strand is full while more bytes wait than may") {
    EventLoop loop;
    DiskStrand disk{loop, 10};
    std::promise<void> gate;
    disk.run(11, [opened = gate.get_future().share()] { opened.wait(); });
    CHECK(disk.is_full());
    gate.set_value();
    disk.finish();
    CHECK_FALSE(disk.is_full());
}
