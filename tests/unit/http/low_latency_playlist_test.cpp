#include "http/playlist.hpp"
#include "unit/http/kept_playlists.hpp"
#include "unit/http/live_chunks.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::http_test;
using namespace std::chrono_literals;
using Answer = Playlist::Answer;

namespace {

/// A playlist over chunks of the live edge, and its reloads.
struct LivePlaylist {
    LiveChunks live;
    LiveParts parts;
    Playlist playlist{{}};
    std::vector<std::string> reloads;

    std::string const& reload(bool has_ended = false) {
        playlist.update(live.segments, has_ended, &parts);
        if (!playlist.is_empty()) reloads.push_back(playlist.text(Container::mpeg_ts));
        return reloads.back();
    }
    void grow(std::uint64_t number, std::size_t pictures) {
        for (std::size_t at = 8; at < pictures + 8; at += 8) {
            live.grow(parts, number, std::min(at, pictures));
            playlist.update(live.segments, false, &parts);
            if (!playlist.is_empty()) reload();
        }
    }
    void record(std::uint64_t number) {
        live.record(parts, number);
        reload();
    }
    void play(std::uint64_t number) {
        grow(number, 120);
        record(number);
    }
    [[nodiscard]] std::string const& text() const { return reloads.back(); }
    [[nodiscard]] bool has(std::string const& part) const {
        return text().find(part) != std::string::npos;
    }
    [[nodiscard]] Answer
    answer(std::uint64_t sequence, std::optional<std::uint64_t> part = {}) const {
        return playlist.answer({sequence, part});
    }
};

} // namespace

TEST_CASE("Playlist of a live edge lists the parts of the chunk in progress and hints at the next"
) {
    LivePlaylist shown;
    shown.play(1);
    shown.grow(2, 24);
    CHECK(
        has_line(shown.text(), "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.990000")
    );
    CHECK(has_line(shown.text(), "#EXT-X-PART-INF:PART-TARGET=0.330000"));
    CHECK(shown.text().ends_with(
        "#EXTINF:4.000000,\nchunks/1.ts\n"
        "#EXT-X-PART:DURATION=0.300000,URI=\"parts/2-0.ts\",INDEPENDENT=YES\n"
        "#EXT-X-PART:DURATION=0.300000,URI=\"parts/2-1.ts\"\n"
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"parts/2-2.ts\"\n"
    ));
    shown.grow(2, 120);
    CHECK_FALSE(shown.has("chunks/2.ts"));
    shown.record(2);
    CHECK(shown.has("URI=\"parts/2-13.ts\"\n#EXTINF:4.000000,\nchunks/2.ts\n"
                    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"parts/3-0.ts\"\n"));
    keep("parts", shown.reloads);
}

TEST_CASE("Playlist of a live edge drops parts three target durations behind its end") {
    LivePlaylist shown;
    for (std::uint64_t number = 1; number <= 9; ++number)
        shown.play(number);
    CHECK_FALSE(shown.has("parts/6-"));
    CHECK(shown.has("parts/7-0.ts"));
    CHECK(shown.has("chunks/6.ts"));
    keep("parts-window", shown.reloads);
}

TEST_CASE("Playlist lists what there is of a chunk whose parts it has listed, and no other") {
    LivePlaylist shown;
    shown.play(1);
    shown.grow(2, 50);
    shown.live.cut_short(shown.parts);
    shown.reload();
    CHECK(shown.has("URI=\"parts/2-4.ts\"\n#EXTINF:1.500000,\nparts/2.ts\n"));
    shown.grow(3, 8); // too little for a part
    shown.live.segments.back().after_gap = true;
    shown.grow(3, 60);
    CHECK(shown.has("parts/2.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-PART"));
    CHECK_FALSE(shown.has("GAP"));
    shown.grow(3, 120);
    shown.record(3);
    CHECK(shown.has("chunks/3.ts"));
    keep("parts-cut-short", shown.reloads);
}

TEST_CASE("Playlist goes on to the next chunk's parts when a record is late") {
    LivePlaylist shown;
    shown.play(1);
    shown.grow(2, 120);
    shown.grow(3, 40);
    CHECK(shown.has("#EXTINF:4.000000,\nparts/2.ts\n#EXT-X-PART:"));
    shown.live.record(shown.parts, 2);
    shown.grow(3, 120);
    shown.record(3);
    CHECK(shown.has("parts/2.ts\n"));
    CHECK_FALSE(shown.has("DISCONTINUITY\n"));
    keep("parts-late-record", shown.reloads);
}

TEST_CASE("Playlist is a plain one again once chunks come without parts, and at the end") {
    LivePlaylist shown;
    shown.play(1);
    shown.play(2);
    SECTION("without parts") {
        for (std::uint64_t number = 3; number <= 5; ++number) {
            shown.live.add_whole(shown.parts, number);
            shown.reload();
        }
        CHECK_FALSE(shown.has("PART"));
        CHECK_FALSE(shown.has("SERVER-CONTROL"));
        CHECK(shown.answer(100) == Answer::now);
        keep("parts-gone", shown.reloads);
    }
    SECTION("ended") {
        shown.grow(3, 60);
        shown.live.cut_short(shown.parts);
        shown.reload(true);
        CHECK_FALSE(shown.has("PART"));
        CHECK(shown.text().ends_with("parts/3.ts\n#EXT-X-ENDLIST\n"));
        CHECK(shown.answer(100) == Answer::now);
        keep("parts-ended", shown.reloads);
    }
}

TEST_CASE("Playlist without parts is what it is without a live edge") {
    LivePlaylist shown;
    for (std::uint64_t number = 1; number <= 3; ++number)
        shown.live.add_whole(shown.parts, number);
    Playlist plain{{}};
    plain.update(shown.live.segments, false);
    CHECK(shown.reload() == plain.text(Container::mpeg_ts));
    CHECK(shown.answer(100) == Answer::now);
}

TEST_CASE("Playlist answers a blocking reload as soon as it has what is wanted") {
    LivePlaylist shown;
    shown.play(1);
    shown.grow(2, 24); // segment 1 of the playlist: two parts
    CHECK(shown.answer(0) == Answer::now);
    CHECK(shown.answer(0, 13) == Answer::now);
    CHECK(shown.answer(0, 14) == Answer::now); // 1, 0
    CHECK(shown.answer(1, 1) == Answer::now);
    CHECK(shown.answer(1, 2) == Answer::later);
    CHECK(shown.answer(1) == Answer::later);
    CHECK(shown.answer(2) == Answer::later);
    CHECK(shown.answer(2, 0) == Answer::later);
    CHECK(shown.answer(3) == Answer::never);
    CHECK(shown.answer(1, 11) == Answer::later);
    CHECK(shown.answer(1, 12) == Answer::never); // nine parts are three seconds
    CHECK(shown.answer(0, 1000) == Answer::never);
    CHECK(shown.answer(~std::uint64_t{0}, ~std::uint64_t{0}) == Answer::never);
    CHECK(shown.playlist.longest_wait() == 12s);
    shown.grow(2, 120);
    shown.record(2);
    CHECK(shown.answer(1) == Answer::now);
    CHECK(shown.answer(1, 14) == Answer::later); // 2, 0
}

TEST_CASE("Playlist expects the part it hints at, and no other") {
    LivePlaylist shown;
    shown.play(1);
    CHECK(shown.playlist.is_expected({2}, 0));
    CHECK_FALSE(shown.playlist.is_expected({2}, 1));
    CHECK_FALSE(shown.playlist.is_expected({3}, 0));
    shown.grow(2, 24);
    CHECK(shown.playlist.is_expected({2}, 2));
    CHECK_FALSE(shown.playlist.is_expected({2}, 3));
    CHECK_FALSE(shown.playlist.is_expected({1}, 14));
}
