#include "archive/event_torrent_file.hpp"
#include "support/archive_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;

namespace {

std::string failure(ArchiveBuilder& archive) {
    auto const made = make_event_torrent(archive.folder(), archive.records());
    return made ? std::string("no error") : made.error().message;
}

} // namespace

TEST_CASE("The event torrent has the hash that its file tells") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(5);
    CHECK_FALSE(*read_event_torrent_hash(archive.folder()));

    auto const made = make_event_torrent(archive.folder(), archive.records());
    REQUIRE(made);
    REQUIRE(write_event_torrent(archive.folder(), *made, {"http://t/a"}, {"http://w/"}));
    auto const hash = read_event_torrent_hash(archive.folder());
    REQUIRE(hash);
    CHECK(*hash == made->hash);
}

TEST_CASE("The event torrent is made a chunk at a time") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.chunks(3, 1000);
    auto maker = EventTorrentMaker::start(archive.folder(), archive.records());
    REQUIRE(maker);
    CHECK(maker->bytes_total() == 3003);
    CHECK(*maker->step());
    CHECK(maker->bytes_done() == 1000);
    CHECK(*maker->step());
    CHECK_FALSE(*maker->step());
    CHECK_FALSE(*maker->step());
    CHECK(maker->finish());
}

TEST_CASE("There is no event torrent of an event that is not all there") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    CHECK_THAT(failure(archive), Contains("no chunk"));
    archive.chunks(4);
    SECTION("a chunk is missing") {
        std::filesystem::remove(archive.chunk_file(2));
        CHECK_THAT(failure(archive), Contains("chunk 2 is not there whole"));
    }
    SECTION("a chunk is short") {
        std::filesystem::resize_file(archive.chunk_file(3), 10);
        CHECK_THAT(failure(archive), Contains("chunk 3 is not there whole"));
    }
    SECTION("a chunk is damaged") {
        flip(archive.chunk_file(4), 17);
        CHECK_THAT(failure(archive), Contains("is damaged"));
    }
    SECTION("a record is missing") {
        auto record = archive.next_record(random_bytes(10), MediaTime(1));
        record.number = {9};
        archive.append(sign_statement(record, archive.key()));
        CHECK_THAT(failure(archive), Contains("gaps"));
    }
}

TEST_CASE("The info-hash is only taken from well-formed torrent files") {
    auto const hash = torrent_info_hash(as_bytes("d4:infod1:ai1eee"));
    REQUIRE(hash);
    CHECK(hash->bytes == sha1(as_bytes("d1:ai1ee")).bytes);
    CHECK(torrent_info_hash(as_bytes("d1:b4:info4:infod1:ai1eee")) == hash);
    for (auto const* wrong :
         {"",
          "d",
          "de",
          "i1e",
          "d4:info",
          "d4:infoe",
          "d4:infod1:ai1ee",
          "d4:infod1:ai1eeex",
          "d99999999999999999999:xe",
          "d4:infolllllllllllllllllleeeeeeeeeeeeeeeeeee",
          "di1ei1ee"}) {
        CAPTURE(wrong);
        CHECK_FALSE(torrent_info_hash(as_bytes(wrong)));
    }
}
