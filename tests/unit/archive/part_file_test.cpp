#include "archive/chunk_check.hpp"
#include "archive/part_file.hpp"
#include "archive/part_info.hpp"
#include "support/archive_builder.hpp"
#include "unit/archive/mp3_frames.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;
using std::chrono::milliseconds;

namespace {

constexpr RenditionId main_rendition{};

std::string refusal(ArchiveBuilder& archive, RecordFile const& records) {
    auto const resumed = resume_event(archive.folder(), records, main_rendition);
    REQUIRE(resumed);
    auto const refusal = resumed->refusal.value_or("none");
    CHECK(refusal.find('\n') == std::string::npos);
    return refusal;
}

std::string refusal(ArchiveBuilder& archive) {
    return refusal(archive, archive.records());
}

Resumption resume(ArchiveBuilder& archive) {
    auto resumed = resume_event(archive.folder(), archive.records(), main_rendition);
    REQUIRE(resumed);
    REQUIRE_FALSE(resumed->refusal);
    return *resumed;
}

void write_part(ArchiveBuilder& archive, ByteView bytes) {
    auto part = PartFile::create(archive.folder(), archive.opening());
    REQUIRE(part);
    REQUIRE(part->append(bytes));
}

std::size_t files_in_chunks(ArchiveBuilder const& archive) {
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator(archive.folder().chunks()),
        std::filesystem::directory_iterator()
    ));
}

} // namespace

TEST_CASE("PartFile becomes a chunk of the bytes that were appended") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    auto const bytes = random_bytes(5000);
    auto part = PartFile::create(archive.folder(), archive.opening());
    REQUIRE(part);
    REQUIRE(part->append(ByteView(bytes).first(1000)));
    REQUIRE(part->append(ByteView(bytes).subspan(1000)));
    CHECK(part->size() == bytes.size());
    // Whoever pushes what was appended relies on its being in the file already.
    CHECK(slurp(archive.chunk_file(1).concat(".part")) == bytes);
    REQUIRE(part->close());
    CHECK(slurp(archive.chunk_file(1)) == bytes);
    CHECK(files_in_chunks(archive) == 1);
}

TEST_CASE("PartFile never records a number twice") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    auto part = PartFile::create(archive.folder(), archive.opening());
    REQUIRE(part);
    CHECK_FALSE(PartFile::create(archive.folder(), archive.opening()));
    REQUIRE(part->close());
    CHECK_FALSE(PartFile::create(archive.folder(), archive.opening()));
}

TEST_CASE("What a .part.info file tells survives the way through the disk") {
    PartInfo info;
    info.opening.event = {1'700'000'000'000};
    info.opening.rendition = {3};
    info.opening.run = random_id<RunId>();
    info.opening.epoch = {7};
    info.opening.number = {12};
    info.opening.media_time = milliseconds(48'001);
    info.opening.wall_time = WallTime{milliseconds(1'700'000'048'001)};
    info.opening.container = Container::adts;
    info.opening.is_discontinuity = true;
    info.opening.is_independent = false;
    info.boot = current_boot();
    auto const text = format_part_info(info);
    auto const parsed = parse_part_info(text);
    REQUIRE(parsed);
    CHECK(*parsed == info);
    for (std::size_t cut = 0; cut + 40 < text.size(); cut += 7) {
        CHECK_FALSE(parse_part_info(std::string_view(text).substr(0, cut)));
    }
}

TEST_CASE("An event without anything in progress goes on at the next number") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    auto resumed = resume(archive);
    CHECK(resumed.next == ChunkNumber{1});
    CHECK(resumed.media_end == MediaTime::zero());
    archive.chunks(3);
    resumed = resume(archive);
    CHECK_FALSE(resumed.part);
    CHECK(resumed.next == ChunkNumber{4});
    CHECK(resumed.media_end == milliseconds(6000));
}

TEST_CASE("The chunk in progress is cut at its last whole frame and published as what it is") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::mp3).chunks(2);
    auto const frames = mp3_frames(10);
    auto torn = frames;
    append(torn, ByteView(mp3_frames(1)).first(100));
    write_part(archive, torn);

    auto const resumed = resume(archive);
    REQUIRE(resumed.part);
    CHECK(*resumed.part == archive.next_record(frames, milliseconds(240)));
    CHECK(resumed.next == ChunkNumber{4});
    CHECK(resumed.media_end == milliseconds(4240));

    archive.append(sign_statement(*resumed.part, archive.key()));
    REQUIRE(close_part(archive.folder(), *resumed.part));
    CHECK(check_chunk(archive.chunk_file(3), *resumed.part).state == ChunkCheck::State::complete);
    CHECK(files_in_chunks(archive) == 3);
    CHECK(resume(archive).next == ChunkNumber{4});
}

TEST_CASE("Resuming is interrupted at any point and still ends the same") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::mp3).chunks(1);
    auto const frames = mp3_frames(5);
    write_part(archive, frames);
    auto const record = archive.next_record(frames, milliseconds(120));

    SECTION("before the record was stored") {
        CHECK(resume(archive).part == record);
    }
    SECTION("after the file got its name, before the record was stored") {
        std::filesystem::rename(archive.chunk_file(2).concat(".part"), archive.chunk_file(2));
        CHECK(resume(archive).part == record);
    }
    SECTION("after the record was stored") {
        archive.append(sign_statement(record, archive.key()));
        auto const resumed = resume(archive);
        CHECK_FALSE(resumed.part);
        CHECK(resumed.next == ChunkNumber{3});
        CHECK(slurp(archive.chunk_file(2)) == frames);
        CHECK(files_in_chunks(archive) == 2);
    }
    SECTION("after the record was stored and the file got its name") {
        archive.append(sign_statement(record, archive.key()));
        std::filesystem::rename(archive.chunk_file(2).concat(".part"), archive.chunk_file(2));
        CHECK(resume(archive).next == ChunkNumber{3});
        CHECK(files_in_chunks(archive) == 2);
    }
}

TEST_CASE("A number of which no byte was written is used again") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::mp3).chunks(1);
    write_part(archive, {});
    SECTION("an empty part") {}
    SECTION("no part yet") {
        std::filesystem::remove(archive.chunk_file(2).concat(".part"));
    }
    auto const resumed = resume(archive);
    CHECK_FALSE(resumed.part);
    CHECK(resumed.next == ChunkNumber{2});
    CHECK(files_in_chunks(archive) == 1);
    CHECK(PartFile::create(archive.folder(), archive.opening()));
}

TEST_CASE("A chunk that was cut off within its first picture is published with what there is") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::mpeg_ts).chunks(1);
    Bytes packets(3 * 188, 0xff); // no picture among them, so nothing says how long they last
    for (std::size_t at = 0; at < packets.size(); at += 188) {
        std::ranges::copy(
            std::array<std::uint8_t, 4>{0x47, 0x1f, 0xff, 0x10},
            packets.begin() + static_cast<std::ptrdiff_t>(at)
        );
    }
    write_part(archive, packets);
    auto const resumed = resume(archive);
    REQUIRE(resumed.part);
    CHECK(resumed.part->size == packets.size());
    CHECK(resumed.part->duration > MediaTime::zero());
    CHECK(resumed.next == ChunkNumber{3});
}

TEST_CASE("An event is not gone on with when a number could come to stand for other bytes") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::mp3).chunks(2);
    auto const info_file = archive.chunk_file(3).concat(".part.info");
    SECTION("the part holds no media") {
        write_part(archive, random_bytes(5000));
        CHECK_THAT(refusal(archive), Contains("not usable"));
    }
    SECTION("the machine was restarted, so that bytes may be lost that were pushed") {
        write_part(archive, mp3_frames(5));
        auto info = *parse_part_info(as_text(slurp(info_file)));
        info.boot = "another";
        spill(info_file, format_part_info(info));
        CHECK_THAT(refusal(archive), Contains("restarted"));
    }
    SECTION("the newest record is lost") {
        auto const feed = slurp(archive.folder().feed());
        spill(archive.folder().feed(), ByteView(feed).first(feed.size() - 10));
        auto records = RecordFile::open(archive.folder(), RecordFile::Access::write);
        REQUIRE(records->newest(main_rendition) == ChunkNumber{1});
        CHECK(refusal(archive, *records) != "none");
    }
    SECTION("an older record is damaged") {
        flip(archive.folder().feed(), 100);
        auto const records = RecordFile::open(archive.folder(), RecordFile::Access::write);
        CHECK(refusal(archive, *records) != "none");
    }
    SECTION("the part differs from the record of its number") {
        write_part(archive, mp3_frames(5));
        auto const record = archive.next_record(mp3_frames(5), milliseconds(120));
        archive.append(sign_statement(record, archive.key()));
        CHECK_THAT(refusal(archive), Contains("not what its record states"));
    }
    SECTION("the info is unreadable") {
        write_part(archive, mp3_frames(5));
        spill(info_file, "?");
        CHECK_THAT(refusal(archive), Contains("not readable"));
    }
    SECTION("the info is far too long") {
        write_part(archive, mp3_frames(5));
        spill(info_file, std::string(10'000, 'x'));
        CHECK_THAT(refusal(archive), Contains("not readable"));
    }
    SECTION("the event has ended") {
        archive.end();
        CHECK_THAT(refusal(archive), Contains("ended"));
    }
}

TEST_CASE("What can't be read now is no verdict on an event") {
    TempFolder temp;
    ArchiveBuilder archive(temp.path());
    archive.use(Container::mp3).chunks(2);
    write_part(archive, mp3_frames(5));
    // A folder in a file's place can't be read by root either.
    auto const file = archive.chunk_file(3).concat(GENERATE(".part", ".part.info"));
    std::filesystem::rename(file, temp / "aside");
    std::filesystem::create_directory(file);
    CHECK_FALSE(resume_event(archive.folder(), archive.records(), main_rendition));
    std::filesystem::remove(file);
    std::filesystem::rename(temp / "aside", file);
    CHECK(resume(archive).next == ChunkNumber{4});
}
