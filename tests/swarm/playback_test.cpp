#include "playback.hpp"
#include "support/loop_driver.hpp"
#include "support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t size = 1000;

/// A playback whose chunks are put into its store at once.
struct Bench {
    explicit Bench(bool has_output) {
        Playback::Options options;
        if (has_output) options.output = (folder / "output").string();
        playback = std::make_unique<Playback>(loop, store, options, Playback::Events{});
    }
    ~Bench() {
        driver.run([&] { playback->stop(); });
    }

    void begin(std::uint64_t event) {
        current = {event};
        playback->begin_event({}, current);
        playback->describe("A test", Container::mp3);
    }
    void add(std::uint64_t number, std::uint8_t content) {
        ChunkKey const key{{}, current, {0}, {number}};
        Record record;
        record.event = current;
        record.number = {number};
        record.media_time = 4s * static_cast<int>(number - 1);
        record.duration = 4s;
        record.size = size;
        store.add(key, folder / std::to_string(current.value * 100 + number), size);
        store.remember(key, 0, std::make_shared<Bytes const>(size, content));
        store.mark_verified(key, 0, size);
        playback->add(record);
        playback->refresh(record.number);
        if (!playback->timeline().has_start()) playback->start_at({record.number});
        playback->advance();
    }
    void end(std::uint64_t last) {
        playback->end({last});
        playback->advance();
    }
    [[nodiscard]] bool is_done() {
        return driver.until([&] { return playback->is_done(); });
    }
    [[nodiscard]] Bytes output() const {
        std::ifstream in{folder / "output", std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    test::TempFolder folder;
    EventLoop loop;
    test::LoopDriver driver{loop};
    DiskStrand disk{loop};
    Store store{loop, disk, {}};
    EventId current;
    std::unique_ptr<Playback> playback;
};

Bytes chunks_of(std::initializer_list<std::uint8_t> contents) {
    Bytes bytes;
    for (auto const content : contents)
        append(bytes, Bytes(size, content));
    return bytes;
}

} // namespace

TEST_CASE("Playback writes an event that follows a finished one to the same output") {
    Bench bench{true};
    bench.driver.run([&] {
        bench.begin(1);
        bench.add(1, 11);
        bench.add(2, 12);
        bench.end(2);
        Status status;
        bench.playback->fill(status);
        CHECK(status.state == "live"); // nothing is written yet
    });
    REQUIRE(bench.is_done());
    bench.driver.run([&] {
        Status status;
        bench.playback->fill(status);
        CHECK(status.state == "ended");
        bench.begin(2);
        bench.add(1, 21);
        bench.end(1);
    });
    REQUIRE(bench.is_done());
    CHECK((bench.output() == chunks_of({11, 12, 21})));
}

TEST_CASE("Playback drops what it was reading when another event begins") {
    Bench bench{true};
    bench.driver.run([&] {
        bench.begin(1);
        bench.add(1, 11);
        bench.begin(2);
    });
    bench.driver.run([&] {
        bench.add(1, 21);
        bench.end(1);
    });
    REQUIRE(bench.is_done());
    CHECK((bench.output() == chunks_of({21})));
}

TEST_CASE("Playback retains a broadcast as far as the longest playlist, a recording as a whole") {
    Bench bench{false};
    auto const is_recording = GENERATE(false, true);
    constexpr std::uint64_t chunks = limits::dvr_window + 10;
    bench.driver.run([&] {
        bench.begin(1);
        if (is_recording) bench.playback->play_as_recording();
        for (std::uint64_t number = 1; number <= chunks; ++number)
            bench.add(number, 0);
        auto const& segments = bench.playback->timeline().segments();
        CHECK(segments.size() == (is_recording ? chunks : limits::dvr_window));
        CHECK(segments.back().chunk.number == ChunkNumber{chunks});
    });
}
