#include "archive/record_file.hpp"
#include "support/archive_builder.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

using Access = RecordFile::Access;
constexpr RenditionId main_rendition{};
constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

std::size_t frame_size(Statement const& statement) {
    Bytes frame;
    append_frame(frame, statement);
    return frame.size();
}

} // namespace

TEST_CASE("RecordFile finds everything again that was appended") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe("old", 1).chunks(5, 100).describe("new", 2).end();

    auto const records = RecordFile::open(archive.folder(), Access::read);
    REQUIRE(records);
    CHECK(records->count(main_rendition) == 5);
    CHECK(records->newest(main_rendition) == ChunkNumber{5});
    CHECK(records->descriptor()->value.title == "new");
    CHECK(records->end()->value.last == ChunkNumber{5});
    for (auto const number : records->numbers(main_rendition)) {
        auto const record = records->read(main_rendition, number);
        REQUIRE(record);
        CHECK(record->value.number == number);
        CHECK(record->value.size == 99 + number.value);
    }
    CHECK_FALSE(records->read(main_rendition, ChunkNumber{6}));
    CHECK(
        records->findings().torn + records->findings().damaged + records->findings().refused == 0
    );
}

TEST_CASE("RecordFile loses nothing whole, wherever its last write was torn off") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(3, 100);
    auto const before = slurp(archive.folder().feed()).size();
    auto const last =
        sign_statement(archive.next_record(random_bytes(100), MediaTime(1)), archive.key());
    archive.append(last);
    auto const whole = slurp(archive.folder().feed());
    REQUIRE(whole.size() == before + frame_size(last));

    for (auto cut = before; cut < whole.size(); ++cut) {
        spill(archive.folder().feed(), ByteView(whole).first(cut));
        auto const reader = RecordFile::open(archive.folder(), Access::read);
        REQUIRE(reader);
        REQUIRE(reader->findings().torn == cut - before);
        REQUIRE(slurp(archive.folder().feed()).size() == cut);

        auto writer = RecordFile::open(archive.folder(), Access::write);
        REQUIRE(writer);
        REQUIRE(writer->count(main_rendition) == 3);
        REQUIRE(slurp(archive.folder().feed()).size() == before);
        REQUIRE(writer->append(last));
        REQUIRE(slurp(archive.folder().feed()) == whole);
    }
}

TEST_CASE("RecordFile takes zeros behind its last frame for an interrupted write") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(2, 100);
    auto const whole = slurp(archive.folder().feed());
    auto padded = whole;
    padded.resize(whole.size() + 9000);
    spill(archive.folder().feed(), padded);
    auto const records = RecordFile::open(archive.folder(), Access::write);
    REQUIRE(records);
    CHECK(records->findings().torn == 9000);
    CHECK(slurp(archive.folder().feed()) == whole);
}

TEST_CASE("A flipped byte costs RecordFile the statement it is in and no other") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(1, 100);
    auto const begin = slurp(archive.folder().feed()).size();
    archive.chunks(1, 100);
    auto const after = slurp(archive.folder().feed()).size();
    archive.chunks(3, 100);
    auto const whole = slurp(archive.folder().feed());

    for (auto at = begin; at < after; ++at) {
        auto damaged = whole;
        damaged[at] ^= 0x41;
        spill(archive.folder().feed(), damaged);
        auto const records = RecordFile::open(archive.folder(), Access::write);
        REQUIRE(records);
        CAPTURE(at - begin);
        REQUIRE(records->numbers(main_rendition) == std::vector<ChunkNumber>{{1}, {3}, {4}, {5}});
        // A changed kind byte makes a whole frame of a kind of some later version.
        REQUIRE(records->findings().damaged == (at == begin ? 0 : after - begin));
        REQUIRE(slurp(archive.folder().feed()) == damaged);
    }
}

TEST_CASE("RecordFile keeps the first record of a number and refuses any other") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    auto const first = archive.next_record(random_bytes(100), MediaTime(1));
    archive.append(sign_statement(first, archive.key()));
    auto const size = slurp(archive.folder().feed()).size();
    CHECK(archive.records().append(sign_statement(first, archive.key())));

    auto other = archive.next_record(random_bytes(100), MediaTime(1));
    CHECK_FALSE(archive.records().append(sign_statement(other, archive.key())));
    CHECK_FALSE(archive.records().append(sign_statement(other, ChannelKey::generate())));
    other.number = ChunkNumber{2};
    other.event = EventId{archive.event().value + 1};
    CHECK_FALSE(archive.records().append(sign_statement(other, archive.key())));
    CHECK(slurp(archive.folder().feed()).size() == size);
    CHECK(archive.records().read(main_rendition, first.number)->value == first);
}

TEST_CASE("RecordFile counts genuine statements that do not belong in it") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.chunks(1, 100);
    auto feed = slurp(archive.folder().feed());
    auto foreign = archive.next_record(random_bytes(100), MediaTime(1));
    foreign.event = EventId{7};
    append_frame(feed, sign_statement(foreign, archive.key()));
    auto second = archive.next_record(random_bytes(100), MediaTime(1));
    second.number = ChunkNumber{1};
    append_frame(feed, sign_statement(second, archive.key()));
    spill(archive.folder().feed(), feed);

    auto const records = RecordFile::open(archive.folder(), Access::read);
    REQUIRE(records);
    CHECK(records->findings().refused == 2);
    CHECK(records->count(main_rendition) == 1);
}

TEST_CASE("RecordFile passes over statements of kinds it does not know") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.chunks(1, 100);
    auto feed = slurp(archive.folder().feed());
    append(feed, Bytes{9, 0, 0, 0, 3, 'a', 'b', 'c'});
    spill(archive.folder().feed(), feed);
    auto records = RecordFile::open(archive.folder(), Access::write);
    REQUIRE(records);
    CHECK(records->findings().torn == 0);
    REQUIRE(records->append(sign_statement(EndRecord{archive.event(), {1}, {}}, archive.key())));
    CHECK(RecordFile::open(archive.folder(), Access::read)->end() != nullptr);
}

TEST_CASE("RecordFile gives ranges of consecutive records within the limits of a reply") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(10, 100);
    auto const& records = archive.records();
    auto const range = records.read_range(main_rendition, {4}, 3, no_limit);
    REQUIRE(range.size() == 3);
    for (std::size_t i = 0; i < range.size(); ++i) {
        CHECK(open_record(range[i].wire, archive.key().channel())->value.number.value == 4 + i);
    }
    CHECK(records.read_range(main_rendition, {9}, 64, no_limit).size() == 2);
    CHECK(records.read_range(main_rendition, {11}, 64, no_limit).empty());
    CHECK(records.read_range({1}, {1}, 64, no_limit).empty());
    auto const two = range[0].wire.size() + range[1].wire.size();
    CHECK(records.read_range(main_rendition, {4}, 64, two).size() == 2);
    CHECK(records.read_range(main_rendition, {4}, 64, two - 1).size() == 1);
}

TEST_CASE("A reader follows a feed that another process appends to") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.describe().chunks(2, 100);
    auto reader = RecordFile::open(archive.folder(), Access::read);
    REQUIRE(reader);
    archive.chunks(2, 100).end();
    CHECK(reader->newest(main_rendition) == ChunkNumber{2});
    REQUIRE(reader->refresh());
    CHECK(reader->newest(main_rendition) == ChunkNumber{4});
    CHECK(reader->end() != nullptr);
}

TEST_CASE("RecordFile indexes records that come out of order") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    for (std::uint64_t const number : {5U, 2U, 9U, 1U}) {
        auto record = archive.next_record(random_bytes(50), MediaTime(1));
        record.number = {number};
        archive.append(sign_statement(record, archive.key()));
    }
    auto const expected = std::vector<ChunkNumber>{{1}, {2}, {5}, {9}};
    CHECK(archive.records().numbers(main_rendition) == expected);
    CHECK(RecordFile::open(archive.folder(), Access::read)->numbers(main_rendition) == expected);
}
