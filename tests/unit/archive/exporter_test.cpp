#include "archive/exporter.hpp"
#include "support/archive_builder.hpp"
#include "support/ffmpeg.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;
using std::chrono::seconds;

namespace {

/// An archive of `length` seconds in chunks of 2 s.
void add_ts(
    ArchiveBuilder& archive, TempFolder const& temp, int length, std::string const& size = "160x120"
) {
    auto const folder = temp / ("media" + std::to_string(archive.next_number().value));
    for (auto const& file : make_ts_chunks(folder, length, size))
        archive.chunk(slurp(file));
}

ExportReport export_good(ArchiveBuilder& archive, ExportOptions const& options) {
    auto report = export_event(archive.folder(), archive.records(), options);
    INFO((report ? std::string() : report.error().message));
    REQUIRE(report);
    return *report;
}

std::string failure(ArchiveBuilder& archive, ExportOptions const& options) {
    auto const report = export_event(archive.folder(), archive.records(), options);
    return report ? std::string("no error") : report.error().message;
}

ExportOptions to(std::filesystem::path const& output) {
    ExportOptions options;
    options.output = output;
    return options;
}

} // namespace

TEST_CASE("An event is exported whole, packet for packet, in any format") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe("Evening show");
    add_ts(archive, temp, 8);
    for (auto const* name : {"out.mp4", "out.mkv", "out.mov", "out.ts"}) {
        CAPTURE(name);
        auto const report = export_good(archive, to(temp / name));
        REQUIRE(report.files.size() == 1);
        CHECK(report.skipped.empty());
        CHECK(in_seconds(report.files[0].duration) == Approx(8.0).margin(0.15));
        CHECK(packet_count(temp / name, 'v') == 200);
        CHECK(packet_count(temp / name, 'a') >= 375);
        CHECK(media_seconds(temp / name) == Approx(8.0).margin(0.15));
    }
    CHECK_THAT(
        run_ffprobe("-show_entries format_tags=title -of csv=p=0 " + (temp / "out.mp4").string()),
        Contains("Evening show")
    );
    auto const decoded =
        run_ffprobe("-show_frames -show_entries frame=pts " + (temp / "out.mp4").string());
    CHECK_THAT(decoded, !Contains("error"));
    CHECK_FALSE(std::filesystem::exists(temp / "out.mp4.unfinished"));
}

TEST_CASE("A range starts at the random access point before it and ends at its end") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    add_ts(archive, temp, 12);
    auto options = to(temp / "part.mp4");
    SECTION("between keyframes") {
        options.from = MediaTime(3'500'000);
        options.to = MediaTime(7'000'000);
        export_good(archive, options);
        CHECK(media_seconds(options.output) == Approx(4.0).margin(0.2));
        CHECK(packet_count(options.output, 'v') == Approx(100).margin(3));
    }
    SECTION("to the end") {
        options.from = seconds(10);
        export_good(archive, options);
        CHECK(media_seconds(options.output) == Approx(2.0).margin(0.2));
    }
    SECTION("in the last pictures") {
        options.from = MediaTime(11'900'000);
        export_good(archive, options);
        CHECK(media_seconds(options.output) == Approx(1.0).margin(0.2));
    }
    SECTION("from the start") {
        options.to = seconds(2);
        export_good(archive, options);
        CHECK(packet_count(options.output, 'v') == Approx(50).margin(3));
    }
    SECTION("outside") {
        options.from = seconds(20);
        CHECK_THAT(failure(archive, options), Contains("from 0 s to 12 s"));
    }
    SECTION("backwards") {
        options.from = seconds(5);
        options.to = seconds(5);
        CHECK_THAT(failure(archive, options), Contains("empty"));
    }
}

TEST_CASE("Epochs of equal parameters become one file, others one each") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    add_ts(archive, temp, 4);
    archive.new_epoch();
    add_ts(archive, temp, 4);
    archive.new_epoch();
    add_ts(archive, temp, 2, "320x180");
    auto const report = export_good(archive, to(temp / "out.mp4"));
    REQUIRE(report.files.size() == 2);
    CHECK(report.files[0].path == temp / "out.mp4");
    CHECK(media_seconds(temp / "out.mp4") == Approx(8.0).margin(0.2));
    CHECK(packet_count(temp / "out.mp4", 'v') == 200);
    CHECK(report.files[1].path == temp / "out-2.mp4");
    CHECK(media_seconds(temp / "out-2.mp4") == Approx(2.0).margin(0.2));
}

TEST_CASE("Damaged and missing chunks are left out of an export and named") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    add_ts(archive, temp, 12);
    flip(archive.chunk_file(2), 1000);
    std::filesystem::remove(archive.chunk_file(5));
    auto const report = export_good(archive, to(temp / "out.mkv"));
    CHECK(report.skipped == std::vector<ChunkNumber>{{2}, {5}});
    CHECK(packet_count(temp / "out.mkv", 'v') == 200);
    // What is lost stays a hole, so that sound and picture keep together.
    CHECK(media_seconds(temp / "out.mkv") == Approx(12.0).margin(0.2));

    for (std::uint64_t number = 1; number <= 6; ++number) {
        spill(archive.chunk_file(number), "gone");
    }
    CHECK_THAT(failure(archive, to(temp / "none.mkv")), Contains("every chunk"));
    CHECK_FALSE(std::filesystem::exists(temp / "none.mkv"));
}

TEST_CASE("Audio alone is exported into audio files") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    auto const is_mp3 = GENERATE(true, false);
    archive.use(is_mp3 ? Container::mp3 : Container::adts);
    for (auto const* name : {"a", "b", "c"}) {
        auto const file = temp / name;
        run_ffmpeg(
            std::string("-f lavfi -i sine=sample_rate=48000:duration=2 ") +
            (is_mp3 ? "-c:a libmp3lame -write_xing 0 -id3v2_version 0 -f mp3 " : "-c:a aac -f adts "
            ) +
            file.string()
        );
        archive.chunk(slurp(file));
    }
    for (auto const* name : {is_mp3 ? "out.mp3" : "out.aac", "out.m4a", "out.mkv"}) {
        CAPTURE(name);
        export_good(archive, to(temp / name));
        CHECK(media_seconds(temp / name) == Approx(6.0).margin(0.4));
    }
    CHECK_THAT(
        failure(archive, to(temp / (is_mp3 ? "out2.aac" : "out2.mp3"))), Contains("can't hold")
    );
}

TEST_CASE("Fragmented MP4 chunks are exported as one file") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::fmp4);
    for (int index = 0; index < 3; ++index) {
        auto const file = temp / "chunk.mp4";
        run_ffmpeg(
            "-f lavfi -i testsrc2=size=160x120:rate=25:duration=2 -c:v libx264 -preset ultrafast "
            "-bf 0 -g 25"
            " -output_ts_offset " +
            std::to_string(2 * index) +
            " -avoid_negative_ts disabled -f mp4 -movflags "
            "frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer " +
            file.string()
        );
        archive.chunk(slurp(file));
    }
    export_good(archive, to(temp / "out.mp4"));
    CHECK(packet_count(temp / "out.mp4", 'v') == 150);
    CHECK(media_seconds(temp / "out.mp4") == Approx(6.0).margin(0.1));
}

TEST_CASE("An export that can't be done leaves no file behind and says why in one line") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    CHECK_THAT(failure(archive, to(temp / "out.mp4")), Contains("no chunk"));
    add_ts(archive, temp, 4);
    CHECK_THAT(failure(archive, to(temp / "out.avi")), Contains(".mp4, "));
    CHECK_THAT(failure(archive, to(temp / "out.mp3")), Contains("can't hold"));
    CHECK_THAT(failure(archive, to(temp / "absent/out.mp4")), Contains("absent"));
    spill(temp / "mine.mp4", "mine");
    CHECK_THAT(failure(archive, to(temp / "mine.mp4")), Contains("--force"));
    CHECK(as_text(slurp(temp / "mine.mp4")) == "mine");

    auto options = to(temp / "stopped.mp4");
    options.on_progress = [](ExportOptions::Progress const&) { return false; };
    CHECK_THAT(failure(archive, options), Contains("stopped"));
    CHECK_FALSE(std::filesystem::exists(temp / "stopped.mp4"));
    CHECK_FALSE(std::filesystem::exists(temp / "stopped.mp4.unfinished"));

    options = to(temp / "mine.mp4");
    options.force = true;
    std::uint64_t last = 0;
    options.on_progress = [&last](ExportOptions::Progress const& progress) {
        CHECK(progress.bytes >= last);
        CHECK(progress.bytes <= progress.total);
        last = progress.bytes;
        return true;
    };
    export_good(archive, options);
    CHECK(last > 0);
    CHECK(packet_count(temp / "mine.mp4", 'v') == 100);
}
