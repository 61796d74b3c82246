#include "archive/verify.hpp"
#include "support/archive_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

Verification::Report verify(ArchiveBuilder& archive) {
    Verification verification(archive.folder(), archive.records());
    while (verification.step()) {
    }
    CHECK(verification.done() == verification.total());
    return verification.report();
}

} // namespace

TEST_CASE("Verification finds a sound archive complete") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(5, 50'000);
    auto const report = verify(archive);
    CHECK(report.complete == 5);
    CHECK(report.complete_bytes == 250'000 + 10);
    CHECK(report.damaged.empty());
    CHECK(report.missing.empty());
    CHECK(report.foreign.empty());
}

TEST_CASE("Verification names the bad pieces, the missing chunks and the foreign files") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(6, 50'000);
    flip(archive.chunk_file(1), 20'000);
    std::filesystem::remove(archive.chunk_file(2));
    std::filesystem::resize_file(archive.chunk_file(3), 20'000);
    std::filesystem::resize_file(archive.chunk_file(4), 60'000);
    std::filesystem::rename(archive.chunk_file(5), archive.folder().chunks() / "holiday.ts");
    spill(archive.chunk_file(7).concat(".part"), "x");
    spill(archive.chunk_file(7).concat(".part.info"), "x");

    auto const report = verify(archive);
    CHECK(report.complete == 1);
    REQUIRE(report.damaged.size() == 3);
    CHECK(report.damaged[0].number == ChunkNumber{1});
    CHECK(report.damaged[0].pieces == std::vector<std::uint32_t>{1});
    CHECK(report.damaged[1].number == ChunkNumber{3});
    CHECK(report.damaged[1].pieces == std::vector<std::uint32_t>{1, 2, 3});
    CHECK(report.damaged[2].number == ChunkNumber{4});
    CHECK(report.damaged[2].pieces.empty());
    REQUIRE(report.missing.size() == 2);
    CHECK(report.missing[0].second == ChunkNumber{2});
    CHECK(report.missing[1].second == ChunkNumber{5});
    CHECK(report.foreign == std::vector<std::string>{"holiday.ts"});
    REQUIRE(report.parts.size() == 1);
}

TEST_CASE("Verification goes chunk by chunk and tells which pieces can be served") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.chunks(2, 100'000);
    flip(archive.chunk_file(2), 99'999);
    Verification verification(archive.folder(), archive.records());
    CHECK(verification.total() == 2);
    auto const first = verification.step();
    REQUIRE(first);
    CHECK(first->check.state == ChunkCheck::State::complete);
    CHECK(verification.done() == 1);
    auto const second = verification.step();
    REQUIRE(second);
    CHECK(second->record.number == ChunkNumber{2});
    CHECK(second->check.pieces == std::vector<bool>{true, true, true, true, true, true, false});
    CHECK_FALSE(verification.step());
}

TEST_CASE("Chunks below the oldest that is there have expired, others are missing") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(6);
    for (auto const number : {1, 2, 5})
        std::filesystem::remove(archive.chunk_file(static_cast<std::uint64_t>(number)));
    Verification verification(archive.folder(), archive.records());
    CHECK(verification.step()->is_expired);
    // Retention goes on meanwhile.
    std::filesystem::remove(archive.chunk_file(3));
    CHECK(verification.step()->is_expired);
    CHECK(verification.step()->is_expired);
    CHECK_FALSE(verification.step()->is_expired);
    CHECK_FALSE(verification.step()->is_expired);
    while (verification.step()) {
    }
    CHECK(verification.report().expired.size() == 3);
    CHECK(verification.report().complete == 2);
    REQUIRE(verification.report().missing.size() == 1);
    CHECK(verification.report().missing[0].second == ChunkNumber{5});
}

TEST_CASE("Nothing has expired when there is no chunk at all, or a torrent of all of them") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(3);
    auto const remove = [&](std::uint64_t number) {
        std::filesystem::remove(archive.chunk_file(number));
    };
    SECTION("no chunk at all") {
        for (std::uint64_t number = 1; number <= 3; ++number)
            remove(number);
        CHECK(verify(archive).missing.size() == 3);
    }
    SECTION("a torrent of all of them") {
        archive.end(InfoHash{});
        remove(1);
        CHECK(verify(archive).missing.size() == 1);
    }
    CHECK(verify(archive).expired.empty());
}
