#include "archive/event_folder.hpp"
#include "support/archive_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;

TEST_CASE("EventFolder is found again by its path, with its channel and event") {
    TempFolder temp;
    auto const channel = ChannelKey::generate().channel();
    auto const made = EventFolder::create(temp / "deep/archive", channel, EventId{42});
    REQUIRE(made);
    CHECK(made->path().filename() == short_hex(channel) + "-42");

    for (auto const& path : {made->path(), made->path() / "", made->path() / "chunks" / ".."}) {
        auto const opened = EventFolder::open(path);
        REQUIRE(opened);
        CHECK(opened->channel() == channel);
        CHECK(opened->event() == EventId{42});
    }
    CHECK(EventFolder::create(temp / "deep/archive", channel, EventId{42}));
}

TEST_CASE("EventFolder completes a folder whose making was interrupted") {
    TempFolder temp;
    auto const channel = ChannelKey::generate().channel();
    std::filesystem::create_directories(temp / (short_hex(channel) + "-42"));
    CHECK_FALSE(EventFolder::open(temp / (short_hex(channel) + "-42")));
    REQUIRE(EventFolder::create(temp.path(), channel, EventId{42}));
    CHECK(EventFolder::open(temp / (short_hex(channel) + "-42")));
}

TEST_CASE("EventFolder refuses what is not an event's archive and says why") {
    TempFolder temp;
    auto const channel = ChannelKey::generate().channel();
    auto const folder = EventFolder::create(temp.path(), channel, EventId{42})->path();
    auto const message = [](std::filesystem::path const& path) {
        auto const opened = EventFolder::open(path);
        return opened ? std::string("no error") : opened.error().message;
    };
    CHECK_THAT(message(temp / "absent"), Contains("No such file"));
    CHECK_THAT(message(folder / "channel"), Contains("is a file"));
    auto const name = folder.filename().string();
    CHECK_THAT(message(temp.path()), Contains("holds one event") && Contains(name));
    std::filesystem::create_directory(temp / "0123456789abcdef-41");
    CHECK_THAT(message(temp.path()), Contains("holds 2 events") && Contains(name));
    std::filesystem::create_directory(temp / "empty");
    CHECK_THAT(message(temp / "empty"), Contains("is empty") && Contains("<channel>-<event>"));
    CHECK_THAT(message(folder / "chunks" / ".." / ".." / "empty" / ".."), Contains("2 events"));
    std::filesystem::create_directories(temp / "odd/below");
    CHECK_THAT(message(temp / "odd"), Contains("is not an event's folder"));

    auto const renamed = temp / "0123456789abcdef-42";
    std::filesystem::rename(folder, renamed);
    CHECK_THAT(message(renamed), Contains(channel.hex()));
    spill(renamed / "channel", "nonsense");
    CHECK_THAT(message(renamed), Contains("no channel's name"));
    spill(renamed / "channel", std::string(100'000, 'a'));
    CHECK_THAT(message(renamed), Contains("longer than"));
    std::filesystem::remove(renamed / "channel");
    CHECK_THAT(message(renamed), Contains("No such file"));
}

TEST_CASE("Event folder names are parsed exactly") {
    auto const name = parse_event_folder_name("0123456789abcdef-1700000000000");
    REQUIRE(name);
    CHECK(name->short_channel == "0123456789abcdef");
    CHECK(name->event == EventId{1'700'000'000'000});
    for (auto const* wrong :
         {"",
          "0123456789abcdef",
          "0123456789abcdef-",
          "0123456789abcdeF-1",
          "0123456789abcde-1",
          "0123456789abcdef-1x",
          "0123456789abcdef--1",
          "0123456789abcdef-99999999999999999999",
          "0123456789abcdef-01"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_event_folder_name(wrong));
    }
}

TEST_CASE("The newest event of a channel is gone on with only while it has no end") {
    TempFolder temp;
    auto const key = ChannelKey::generate();
    auto const unfinished = [&](std::filesystem::path const& archive) {
        auto const found = find_unfinished_event(archive, key.channel());
        REQUIRE(found);
        return *found ? (*found)->event() : EventId{};
    };
    CHECK(unfinished(temp / "absent") == EventId{});
    CHECK(unfinished(temp.path()) == EventId{});

    REQUIRE(EventFolder::create(temp.path(), key.channel(), EventId{9}));
    REQUIRE(EventFolder::create(temp.path(), ChannelKey::generate().channel(), EventId{99}));
    auto const newest = EventFolder::create(temp.path(), key.channel(), EventId{10});
    REQUIRE(newest);
    CHECK(unfinished(temp.path()) == EventId{10});
    CHECK(*newest_event(temp.path(), key.channel()) == EventId{10});

    auto records = RecordFile::open(*newest, RecordFile::Access::write);
    REQUIRE(records->append(sign_statement(EndRecord{EventId{10}, {}, {}}, key)));
    CHECK(unfinished(temp.path()) == EventId{});
}

TEST_CASE("An archive that can't be read is not taken for one without events") {
    TempFolder temp;
    auto const key = ChannelKey::generate();
    spill(temp / "film.ts", "x");
    auto const as_archive = newest_event(temp / "film.ts", key.channel());
    REQUIRE_FALSE(as_archive);
    CHECK_THAT(as_archive.error().message, Contains("film.ts is a file, not a folder"));

    auto const folder = EventFolder::create(temp.path(), key.channel(), EventId{9});
    SECTION("its feed") {
        std::filesystem::create_directory(folder->feed());
    }
    SECTION("its channel file") {
        std::filesystem::remove(folder->path() / "channel");
        std::filesystem::create_directory(folder->path() / "channel");
    }
    CHECK_FALSE(find_unfinished_event(temp.path(), key.channel()));
}

TEST_CASE("The last DHT item is kept byte for byte") {
    TempFolder temp;
    auto const folder =
        EventFolder::create(temp.path(), ChannelKey::generate().channel(), EventId{1});
    CHECK_FALSE(folder->load_dht_item());
    auto const item = random_bytes(1100);
    REQUIRE(folder->save_dht_item(item));
    CHECK(folder->load_dht_item() == item);
    CHECK_FALSE(folder->save_dht_item(random_bytes(5000)));
    CHECK(folder->load_dht_item() == item);
}
