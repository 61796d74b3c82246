#include "http/playlist.hpp"
#include "unit/http/kept_playlists.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::http_test;
using namespace std::chrono_literals;

namespace {

constexpr WallTime start{1'700'000'000s};

Timeline::Segment segment(std::uint64_t number, MediaTime duration = 4s) {
    Timeline::Segment result;
    result.chunk.number = ChunkNumber{number};
    result.chunk.media_time = 4s * static_cast<int>(number - 1);
    result.chunk.wall_time = start + result.chunk.media_time;
    result.chunk.duration = duration;
    result.chunk.size = 1000;
    result.released = 1000;
    result.is_closed = true;
    return result;
}

std::deque<Timeline::Segment> segments(std::uint64_t first, std::uint64_t last) {
    std::deque<Timeline::Segment> result;
    for (auto number = first; number <= last; ++number)
        result.push_back(segment(number));
    return result;
}

} // namespace

TEST_CASE("Playlist of the first chunks reads as RFC 8216 wants it") {
    Playlist playlist{{}};
    playlist.update({segment(1, 4'004'000us), segment(2, 3'960'500us)}, false);
    CHECK(
        playlist.text(Container::mpeg_ts) == "#EXTM3U\n"
                                             "#EXT-X-VERSION:6\n"
                                             "#EXT-X-TARGETDURATION:4\n"
                                             "#EXT-X-MEDIA-SEQUENCE:0\n"
                                             "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
                                             "#EXT-X-INDEPENDENT-SEGMENTS\n"
                                             "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z\n"
                                             "#EXTINF:4.004000,\n"
                                             "chunks/1.ts\n"
                                             "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z\n"
                                             "#EXTINF:3.960500,\n"
                                             "chunks/2.ts\n"
    );
}

TEST_CASE("Playlist lists only complete chunks") {
    Playlist playlist{{}};
    auto list = segments(1, 2);
    list.back().released = 500;
    list.back().is_closed = false;
    playlist.update(list, false);
    CHECK(has_line(playlist.text(Container::mp3), "chunks/1.mp3"));
    CHECK_FALSE(has_line(playlist.text(Container::mp3), "chunks/2.mp3"));
    list.back().released = 1000;
    playlist.update(list, false);
    CHECK(has_line(playlist.text(Container::mp3), "chunks/2.mp3"));
}

TEST_CASE("Playlist slides over its window and counts what has left") {
    Playlist playlist{{.window = 3}};
    std::vector<std::string> reloads;
    for (std::uint64_t newest = 1; newest <= 10; ++newest) {
        playlist.update(segments(1, newest), newest == 10);
        reloads.push_back(playlist.text(Container::mpeg_ts));
    }
    auto const& text = reloads.back();
    CHECK(has_line(text, "#EXT-X-MEDIA-SEQUENCE:7"));
    CHECK_FALSE(has_line(text, "chunks/7.ts"));
    CHECK(has_line(text, "chunks/8.ts"));
    CHECK(has_line(text, "chunks/10.ts"));
    CHECK(text.ends_with("#EXT-X-ENDLIST\n"));
    keep("window", reloads);
}

TEST_CASE("Playlist leaves a lost chunk out and marks the next one") {
    Playlist playlist{{}};
    auto list = segments(1, 4);
    list[1].released = 10;
    list[2].after_gap = true;
    playlist.update(list, false);
    auto const text = playlist.text(Container::mpeg_ts);
    CHECK_FALSE(has_line(text, "chunks/2.ts"));
    CHECK(
        text.find("#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:28.000Z") !=
        text.npos
    );
    CHECK(text.find("GAP") == text.npos);
    CHECK(has_line(text, "#EXT-X-MEDIA-SEQUENCE:0"));
}

TEST_CASE("Playlist marks a chunk whose predecessor never was released") {
    Playlist playlist{{}};
    playlist.update({segment(5), segment(8)}, false);
    auto const text = playlist.text(Container::mpeg_ts);
    CHECK(text.find("#EXT-X-DISCONTINUITY\n") > text.find("chunks/5.ts"));
    CHECK(text.find("#EXT-X-DISCONTINUITY\n") < text.find("chunks/8.ts"));
}

TEST_CASE("Playlist counts the discontinuities that have left it, and no tag stands before the "
          "first entry ever") {
    Playlist playlist{{.window = 3}};
    std::deque<Timeline::Segment> list;
    std::vector<std::string> reloads;
    for (std::uint64_t number = 1; number <= 12; ++number) {
        list.push_back(segment(number));
        list.back().chunk.is_discontinuity = number % 4 == 1;
        if (number == 7) list.back().released = 1;
        if (number == 8) list.back().after_gap = true;
        playlist.update(list, false);
        reloads.push_back(playlist.text(Container::mpeg_ts));
    }
    CHECK(reloads.front().find("#EXT-X-DISCONTINUITY\n") == std::string::npos);
    CHECK(has_line(reloads.back(), "#EXT-X-DISCONTINUITY-SEQUENCE:3")); // 5, 8 and 9 have left
    CHECK(has_line(reloads.back(), "#EXT-X-MEDIA-SEQUENCE:8")); // 12 chunks, one lost, three listed
    keep("discontinuities", reloads);
}

TEST_CASE(
    "Playlist's target duration is the longest rounded duration, also after that chunk has left"
) {
    Playlist playlist{{.window = 1}};
    playlist.update({segment(1, 2'400ms)}, false);
    CHECK(has_line(playlist.text(Container::mpeg_ts), "#EXT-X-TARGETDURATION:2"));
    playlist.update({segment(1, 2'400ms), segment(2, 9'600ms)}, false);
    CHECK(has_line(playlist.text(Container::mpeg_ts), "#EXT-X-TARGETDURATION:10"));
    playlist.update({segment(2, 9'600ms), segment(3, 1s)}, false);
    CHECK(has_line(playlist.text(Container::mpeg_ts), "#EXT-X-TARGETDURATION:10"));
}

TEST_CASE("Playlist of the retained window drops what retention dropped") {
    Playlist playlist{{.window = 1000}};
    std::vector<std::string> reloads;
    playlist.update(segments(1, 50), false);
    reloads.push_back(playlist.text(Container::adts));
    playlist.update(segments(31, 60), false);
    reloads.push_back(playlist.text(Container::adts));
    CHECK(has_line(reloads.back(), "#EXT-X-MEDIA-SEQUENCE:30"));
    CHECK_FALSE(has_line(reloads.back(), "chunks/30.aac"));
    CHECK(has_line(reloads.back(), "chunks/31.aac"));
    CHECK(has_line(reloads.back(), "chunks/60.aac"));
    CHECK(reloads.back().find("DISCONTINUITY\n") == std::string::npos);
    keep("retained", reloads);
}

TEST_CASE("Playlist says nothing of independence when a listed chunk isn't independent") {
    Playlist playlist{{}};
    auto list = segments(1, 2);
    list[1].chunk.is_independent = false;
    playlist.update(list, false);
    CHECK(playlist.text(Container::mpeg_ts).find("INDEPENDENT") == std::string::npos);
}

TEST_CASE("Playlist omits a date that can't be written, and survives absurd times") {
    Playlist playlist{{}};
    auto list = segments(1, 2);
    list[0].chunk.wall_time = WallTime{std::chrono::microseconds::max()};
    list[0].chunk.duration = -5s;
    list[1].chunk.wall_time = WallTime{std::chrono::microseconds::min()};
    playlist.update(list, false);
    auto const text = playlist.text(Container::mpeg_ts);
    CHECK(text.find("DATE-TIME") == std::string::npos);
    CHECK(has_line(text, "#EXTINF:0.000000,"));
}

TEST_CASE("Playlist leaves out a chunk of which playing began or went on in the middle") {
    Playlist playlist{{}};
    auto list = segments(1, 4);
    list[0].begin = 300; // joined here
    auto rest = list[2]; // of chunk 3
    list[2].released = 400;
    rest.begin = 600;
    rest.after_gap = true;
    list.insert(list.begin() + 3, rest);
    playlist.update(list, false);
    auto const text = playlist.text(Container::mpeg_ts);
    CHECK_FALSE(has_line(text, "chunks/1.ts"));
    CHECK(has_line(text, "chunks/2.ts"));
    CHECK_FALSE(has_line(text, "chunks/3.ts"));
    CHECK(text.find("#EXT-X-DISCONTINUITY\n") > text.find("chunks/2.ts"));
    CHECK(text.find("#EXT-X-DISCONTINUITY\n") < text.find("chunks/4.ts"));
    keep("middle", {text});
}

TEST_CASE("Playlist waits for the record of a chunk that is there to its end") {
    Playlist playlist{{}};
    auto list = segments(1, 3);
    list[1].chunk.is_open = true;
    list[2].is_closed = false;
    list[2].released = 500;
    playlist.update(list, false);
    CHECK_FALSE(has_line(playlist.text(Container::mpeg_ts), "chunks/2.ts"));

    SECTION("and lists it") {
        list[1].chunk.is_open = false;
        playlist.update(list, false);
        CHECK(has_line(playlist.text(Container::mpeg_ts), "chunks/2.ts"));
    }
    SECTION("until the next one is closed") {
        list[2] = segment(3);
        playlist.update(list, false);
        list[1].chunk.is_open = false; // too late
        playlist.update(list, false);
        auto const text = playlist.text(Container::mpeg_ts);
        CHECK_FALSE(has_line(text, "chunks/2.ts"));
        CHECK(text.find("#EXT-X-DISCONTINUITY\n") < text.find("chunks/3.ts"));
    }
    SECTION("until the event ends") {
        list.pop_back();
        playlist.update(list, true);
        CHECK(playlist.has_ended());
        CHECK_FALSE(has_line(playlist.text(Container::mpeg_ts), "chunks/2.ts"));
    }
}
