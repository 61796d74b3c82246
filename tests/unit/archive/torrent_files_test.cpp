#include "archive/event_torrent_file.hpp"
#include "archive/torrent_files.hpp"
#include "support/archive_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;

TEST_CASE("Every record gives a torrent file with its chunk's info-hash and the trackers") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.chunks(3);
    std::filesystem::remove(archive.chunk_file(2)); // its torrent can still be downloaded elsewhere
    auto const to = temp.path() / "some" / "torrents";

    for (auto const* const tracker : {"http://first/announce", "http://second/announce"}) {
        auto const written =
            write_chunk_torrents(archive.folder(), archive.records(), to, {tracker}, {});
        REQUIRE(written);
        CHECK(*written == 3);
        for (std::uint64_t number = 1; number <= 3; ++number) {
            auto const record = archive.records().read(RenditionId{0}, ChunkNumber{number});
            REQUIRE(record);
            auto const channel = archive.folder().channel();
            auto const file = slurp(to / (chunk_name(channel, record->value) + ".torrent"));
            CHECK(torrent_info_hash(file) == make_info_dict(channel, record->value).hash);
            CHECK_THAT(std::string{as_text(file)}, Contains(tracker));
        }
    }
}

TEST_CASE("Torrent files that cannot be written are one error") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.chunks(1);
    spill(temp.path() / "file", "not a folder");
    auto const written =
        write_chunk_torrents(archive.folder(), archive.records(), temp.path() / "file", {}, {});
    REQUIRE_FALSE(written);
    CHECK_THAT(written.error().message, Contains("file"));
}
