#include "playout/ts_frames.hpp"
#include "unit/playout/ts_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;
using namespace std::chrono_literals;

TEST_CASE("TS frames begin with the tables before a picture, and with nothing else") {
    TsBuilder builder;
    builder.add_table();
    builder.add({.pid = 256, .pcr = 0, .pts = 6000, .dts = 3000, .is_key = true});
    builder.add({.pid = 256});
    builder.add_table(); // before sound: no picture's
    builder.add({.pid = 257, .pts = 3000, .stream_id = 0xc0});
    builder.add({.pid = 256, .pts = 6000});
    builder.add_table();
    builder.add_table();
    builder.add({.pid = 256, .pts = 12000, .dts = 9000});
    TsFrames reader;
    auto const frames = reader.feed(builder.bytes());
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].offset == 0);
    CHECK(frames[0].is_random_access_point);
    CHECK(frames[1].offset == 5 * 188);
    CHECK_FALSE(frames[1].is_random_access_point);
    CHECK(frames[2].offset == 6 * 188);
    CHECK(frames[0].time == MediaTime{0});
    CHECK(frames[1].time == MediaTime{33'333});
    CHECK(frames[2].time == MediaTime{66'666});
}

TEST_CASE("TS frames follow the clock over its wrap, and never go back") {
    TsBuilder builder;
    builder.add({.pid = 256, .pts = ts_clock_mask - 2999});
    builder.add({.pid = 256, .pts = 6000});
    builder.add({.pid = 256, .pts = 3000});
    builder.add({.pid = 256, .pts = 6000});
    TsFrames reader;
    auto const frames = reader.feed(builder.bytes());
    REQUIRE(frames.size() == 4);
    CHECK(frames[1].time == MediaTime{100'000});
    CHECK(frames[2].time == frames[1].time);
    CHECK(frames[3].time == MediaTime{133'333});
}

TEST_CASE("TS frames are the same however the bytes are cut, and end with bytes that are no packet"
) {
    TsBuilder builder;
    for (std::uint64_t at = 0; at < 20; ++at)
        builder.add({.pid = 256, .pts = at * 3000});
    auto bytes = builder.bytes();
    bytes[15 * 188] = 0;
    TsFrames reader;
    std::vector<TsFrame> frames;
    for (std::size_t at = 0; at < bytes.size(); at += 77) {
        auto const part = ByteView{bytes}.subspan(at, std::min<std::size_t>(77, bytes.size() - at));
        for (auto const& frame : reader.feed(part))
            frames.push_back(frame);
    }
    REQUIRE(frames.size() == 15);
    for (std::size_t at = 0; at < frames.size(); ++at)
        CHECK(frames[at].offset == at * 188);
}
