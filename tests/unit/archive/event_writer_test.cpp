#include "archive/event_writer.hpp"
#include "support/archive_builder.hpp"
#include "unit/archive/mp3_frames.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;
using std::chrono::seconds;

namespace {

/// What a publisher's restarts find: a key, and its archive.
struct Publishing {
    TempFolder temp;
    KeyFile key = KeyFile::create(temp / "a.key");
    std::filesystem::path archive = temp / "archive";

    Expected<EventWriter> try_open() { return EventWriter::open(archive, key); }
    EventWriter open() {
        auto writer = try_open();
        if (!writer) FAIL(writer.error().message);
        return *std::move(writer);
    }
};

void begin_chunk(EventWriter& writer, ChunkNumber number, ByteView bytes) {
    Record opening;
    opening.event = writer.folder().event();
    opening.run = random_id<RunId>();
    opening.number = number;
    opening.media_time = seconds{2 * (number.value - 1)};
    opening.wall_time = WallTime{seconds{1'700'000'000}};
    opening.container = Container::mp3;
    REQUIRE(writer.open_chunk(opening));
    REQUIRE(writer.append(bytes));
}

/// One chunk, and then killed within the second.
EventId interrupted(Publishing& publishing) {
    auto writer = publishing.open();
    auto const bytes = mp3_frames(50);
    begin_chunk(writer, ChunkNumber{1}, bytes);
    REQUIRE(writer.close_chunk(seconds{2}));
    begin_chunk(writer, ChunkNumber{2}, bytes);
    return writer.folder().event();
}

std::filesystem::path part_in(std::filesystem::path const& folder, std::string const& ending) {
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().string().ends_with(ending)) return entry.path();
    }
    FAIL("nothing in " << folder << " ends with " << ending);
    return {};
}

std::size_t events_in(std::filesystem::path const& archive) {
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator(archive), std::filesystem::directory_iterator()
    ));
}

} // namespace

TEST_CASE("A restart that fails changes nothing, and the next one goes on with the event") {
    Publishing publishing;
    auto const event = interrupted(publishing);
    auto const folder = publishing.archive /
                        std::filesystem::directory_iterator(publishing.archive)->path().filename();
    // A folder in a file's place stops root as well.
    std::filesystem::path file;
    SECTION("the feed can't be opened") {
        file = folder / "feed";
    }
    SECTION("the chunk in progress can't be opened") {
        file = part_in(folder / "chunks", ".part");
    }
    SECTION("what is known of the chunk in progress can't be read") {
        file = part_in(folder / "chunks", ".part.info");
    }
    SECTION("the event's channel can't be read") {
        file = folder / "channel";
    }
    std::filesystem::rename(file, publishing.temp / "aside");
    std::filesystem::create_directory(file);
    auto const failed = publishing.try_open();
    REQUIRE_FALSE(failed);
    CHECK_THAT(failed.error().message, Contains(file.string()));
    CHECK(publishing.key.last_event() == event);
    CHECK(events_in(publishing.archive) == 1);

    std::filesystem::remove(file);
    std::filesystem::rename(publishing.temp / "aside", file);
    auto const writer = publishing.open();
    CHECK(writer.is_resumed());
    CHECK(writer.folder().event() == event);
    CHECK(writer.resumed().next == ChunkNumber{3});
    CHECK_FALSE(writer.refusal());
}

TEST_CASE("An event that can never be gone on with is left as it is, and a new one says why") {
    Publishing publishing;
    auto const event = interrupted(publishing);
    auto const old = std::filesystem::directory_iterator(publishing.archive)->path();
    spill(part_in(old / "chunks", ".part"), random_bytes(5000));
    auto const writer = publishing.open();
    CHECK(writer.folder().event() > event);
    CHECK_FALSE(writer.is_resumed());
    REQUIRE(writer.refusal());
    CHECK_THAT(*writer.refusal(), Contains(old.string()) && Contains("not usable"));
    CHECK(std::filesystem::exists(part_in(old / "chunks", ".part")));
}

TEST_CASE("No event number is used up by an event that can't be made") {
    Publishing publishing;
    spill(publishing.archive, "a file");
    auto const refused = publishing.try_open();
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Contains("is a file, not a folder"));
    CHECK(publishing.key.last_event() == EventId{});
    std::filesystem::remove(publishing.archive);

    // Killed between the folder and the number in the key.
    auto const event = EventId{1'700'000'000'000};
    REQUIRE(EventFolder::create(publishing.archive, publishing.key.key().channel(), event));
    auto const writer = publishing.open();
    CHECK(writer.folder().event() == event);
    CHECK_FALSE(writer.is_resumed());
    CHECK(publishing.key.last_event() == event);
}

TEST_CASE("A new event begins when asked to, beside an interrupted one") {
    Publishing publishing;
    auto const event = interrupted(publishing);
    auto const fresh = EventWriter::begin(publishing.archive, publishing.key);
    REQUIRE(fresh);
    CHECK(fresh->folder().event() > event);
    CHECK_FALSE(fresh->is_resumed());
}

TEST_CASE("Closing a chunk is repeated after it failed, wherever that was") {
    Publishing publishing;
    auto writer = publishing.open();
    auto const bytes = mp3_frames(50);
    begin_chunk(writer, ChunkNumber{1}, bytes);
    auto const chunks = writer.folder().chunks();
    // The info file can't be removed while a folder that is not empty stands in its place.
    auto const info = part_in(chunks, ".part.info");
    std::filesystem::remove(info);
    std::filesystem::create_directories(info / "within");
    REQUIRE_FALSE(writer.close_chunk(seconds{2}));
    REQUIRE_FALSE(writer.close_chunk(seconds{2}));
    std::filesystem::remove(info / "within");
    auto const closed = writer.close_chunk(seconds{2});
    REQUIRE(closed);
    CHECK(slurp(closed->file) == bytes);
    CHECK(*closed->bytes == bytes);
    CHECK(events_in(chunks) == 1);
    CHECK(writer.records().count(RenditionId{}) == 1);
}
