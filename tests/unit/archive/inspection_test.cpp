#include "archive/event_torrent_file.hpp"
#include "archive/inspection.hpp"
#include "support/archive_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;

namespace {

/// A finished event of four chunks with its torrent.
void finish(ArchiveBuilder& archive) {
    archive.describe("A title").chunks(4);
    auto const made = make_event_torrent(archive.folder(), archive.records());
    REQUIRE(made);
    REQUIRE(write_event_torrent(archive.folder(), *made, {}, {}));
    archive.end(made->hash);
}

} // namespace

TEST_CASE("Inspection tells what a finished archive holds") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    finish(archive);
    auto const inspection = inspect_archive(archive.folder().path());
    CHECK_FALSE(inspection.problem);
    CHECK(inspection.channel == archive.key().channel());
    CHECK(inspection.event == archive.event());
    CHECK(inspection.descriptor->title == "A title");
    CHECK(inspection.end->last == ChunkNumber{4});
    CHECK(inspection.feed.records == 4);
    REQUIRE(inspection.renditions.size() == 1);
    CHECK(inspection.renditions[0].duration == std::chrono::seconds(8));
    CHECK(inspection.renditions[0].gaps.empty());
    CHECK(inspection.chunks.complete == 4);
    REQUIRE(inspection.event_torrent);
    CHECK(inspection.event_torrent->matches_end == true);
    CHECK(inspection.event_torrent->matches_chunks == true);
    CHECK(inspection.is_whole());
    auto const text = to_text(inspection);
    CHECK_THAT(text, Contains("A title") && Contains(archive.key().channel().hex()));
    CHECK_THAT(text, Contains("0:00:08.000") && Contains("whole"));
}

TEST_CASE("Inspection tells what is wrong with an archive") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    finish(archive);
    auto const& folder = archive.folder();
    auto const inspect = [&] { return inspect_archive(folder.path()); };

    SECTION("flipped bytes in a chunk") {
        flip(archive.chunk_file(2), 5);
        REQUIRE(inspect().chunks.damaged.size() == 1);
        CHECK_THAT(to_text(inspect()), Contains("2 (1 bad pieces)"));
        CHECK_FALSE(inspect().event_torrent->matches_chunks.has_value());
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("a missing chunk") {
        std::filesystem::remove(archive.chunk_file(3));
        CHECK(inspect().chunks.missing.size() == 1);
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("a renamed chunk") {
        std::filesystem::rename(archive.chunk_file(3), folder.chunks() / "evil\nname\x1b[31m.ts");
        CHECK(inspect().chunks.foreign.size() == 1);
        CHECK_THAT(to_text(inspect()), !Contains("\x1b"));
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("a truncated feed") {
        std::filesystem::resize_file(folder.feed(), slurp(folder.feed()).size() - 3);
        CHECK(inspect().feed.torn > 0);
        CHECK_FALSE(inspect().end);
        CHECK(inspect().feed.records == 4);
    }
    SECTION("flipped bytes in the feed") {
        flip(folder.feed(), slurp(folder.feed()).size() / 2);
        CHECK(inspect().feed.damaged > 0);
        CHECK(inspect().renditions[0].gaps.size() == 1);
        CHECK(inspect().chunks.foreign.size() == 1);
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("an empty feed") {
        spill(folder.feed(), "");
        CHECK(inspect().feed.records == 0);
        CHECK_FALSE(inspect().descriptor);
        CHECK(inspect().chunks.foreign.size() == 4);
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("a feed cut within its records") {
        std::filesystem::resize_file(folder.feed(), slurp(folder.feed()).size() / 2);
        CHECK(inspect().descriptor);
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("no feed") {
        std::filesystem::remove(folder.feed());
        CHECK_THAT(*inspect().problem, Contains("feed"));
    }
    SECTION("a feed of garbage") {
        spill(folder.feed(), random_bytes(50'000));
        CHECK(inspect().feed.records == 0);
        CHECK(inspect().feed.torn == 50'000);
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("no chunks folder") {
        std::filesystem::remove_all(folder.chunks());
        CHECK(inspect().chunks.missing.size() == 4);
    }
    SECTION("another event's torrent") {
        ArchiveBuilder other(temp / "other");
        finish(other);
        std::filesystem::copy_file(
            other.folder().event_torrent(),
            folder.event_torrent(),
            std::filesystem::copy_options::overwrite_existing
        );
        CHECK(inspect().event_torrent->matches_end == false);
        CHECK(inspect().event_torrent->matches_chunks == false);
        CHECK_FALSE(inspect().is_whole());
    }
    SECTION("a torrent of garbage") {
        spill(folder.event_torrent(), random_bytes(1000));
        CHECK(inspect().event_torrent->problem);
        CHECK_FALSE(inspect().is_whole());
    }
    CHECK_FALSE(to_text(inspect()).empty());
}

TEST_CASE("Inspection says of an unfinished event that it has no end and what is in progress") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(2);
    spill(archive.chunk_file(3).concat(".part"), "x");
    auto const inspection = inspect_archive(archive.folder().path());
    CHECK_FALSE(inspection.end);
    CHECK_FALSE(inspection.event_torrent);
    CHECK(inspection.chunks.parts.size() == 1);
    CHECK(inspection.is_whole());
}

TEST_CASE("Inspection calls an archive whole of which only the oldest chunks have expired") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(5).end();
    std::filesystem::remove(archive.chunk_file(1));
    std::filesystem::remove(archive.chunk_file(2));
    auto const inspect = [&] { return inspect_archive(archive.folder().path()); };
    CHECK(inspect().chunks.missing.empty());
    CHECK(inspect().is_whole());
    CHECK_THAT(
        to_text(inspect()), Contains("2 chunks, up to number 2: retention has deleted them")
    );
    CHECK_THAT(to_text(inspect()), !Contains("not whole"));
    std::filesystem::remove(archive.chunk_file(4));
    CHECK_FALSE(inspect().is_whole());
}

TEST_CASE("Inspection says why a folder is no archive") {
    TempFolder temp;
    CHECK(inspect_archive(temp / "absent").problem);
    CHECK(inspect_archive(temp.path()).problem);
    ArchiveBuilder archive(temp.path());
    CHECK_THAT(*inspect_archive(temp.path()).problem, Contains("holds one event"));
    spill(temp / "file", "x");
    CHECK(inspect_archive(temp / "file").problem);
    CHECK_THAT(to_text(inspect_archive(temp / "file")), Contains("is a file"));
}
