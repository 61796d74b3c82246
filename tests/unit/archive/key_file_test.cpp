#include "archive/key_file.hpp"
#include "support/archive_builder.hpp"
#include "support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>

using namespace minuteswarm;
using namespace minuteswarm::test;
using Catch::Matchers::Contains;
using std::chrono::milliseconds;

namespace {

WallTime at_ms(std::int64_t ms) {
    return WallTime{milliseconds(ms)};
}

EventId start_event(KeyFile& file, WallTime now, EventId known = {}) {
    auto const event = file.next_event(now, known);
    file.store_event(event);
    return event;
}

std::string message_of(std::filesystem::path const& path) {
    try {
        KeyFile::load_or_create(path);
    } catch (StartError const& error) {
        return error.what();
    }
    return "no error";
}

std::size_t files_in(std::filesystem::path const& folder) {
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()
    ));
}

} // namespace

TEST_CASE("KeyFile makes a key for its owner alone and finds it again") {
    TempFolder temp;
    auto const path = temp / "radio.key";
    auto const channel = KeyFile::load_or_create(path).key().channel();

    using std::filesystem::perms;
    CHECK(std::filesystem::status(path).permissions() == (perms::owner_read | perms::owner_write));
    CHECK(files_in(path.parent_path()) == 1);

    auto const again = KeyFile::load_or_create(path);
    CHECK(again.key().channel() == channel);
    CHECK(again.last_event() == EventId{});
    CHECK_FALSE(again.warning());
    CHECK(KeyFile::read_channel(path) == channel);
}

TEST_CASE("KeyFile numbers events by the clock but never twice") {
    TempFolder temp;
    auto const path = temp / "a.key";
    {
        auto file = KeyFile::load_or_create(path);
        CHECK(start_event(file, at_ms(5000)) == EventId{5000});
        CHECK(start_event(file, at_ms(5000)) == EventId{5001});
        CHECK(start_event(file, at_ms(100)) == EventId{5002});
    }
    auto file = KeyFile::load_or_create(path);
    CHECK(file.last_event() == EventId{5002});
    CHECK(start_event(file, at_ms(0)) == EventId{5003});
    CHECK(start_event(file, at_ms(0), EventId{9000}) == EventId{9001});
    CHECK(start_event(file, at_ms(-5)) == EventId{9002});
    CHECK(files_in(temp.path()) == 1);
}

TEST_CASE("KeyFile is locked while it is open, also after an event was started") {
    TempFolder temp;
    auto const path = temp / "a.key";
    {
        auto first = KeyFile::load_or_create(path);
        CHECK_THAT(message_of(path), Contains("being published by another process"));
        start_event(first, at_ms(1));
        CHECK_THAT(message_of(path), Contains("being published by another process"));
        auto const moved = std::move(first);
        CHECK_THAT(message_of(path), Contains("being published by another process"));
        CHECK(KeyFile::read_channel(path) == moved.key().channel());
    }
    CHECK(message_of(path) == "no error");
}

TEST_CASE("KeyFile refuses malformed files and leaves them alone") {
    TempFolder temp;
    auto const path = temp / "a.key";
    auto const good = [&] {
        KeyFile::load_or_create(path);
        return std::string(as_text(slurp(path)));
    }();
    auto const replaced = [&](std::string const& from, std::string const& to) {
        auto text = good;
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    auto const broken = GENERATE_COPY(
        std::string(),
        std::string("hello"),
        std::string(5000, '#'),
        replaced("seed ", "seed 0"),
        replaced("last-event 0", "last-event -1"),
        replaced("last-event 0", "last-event 18446744073709551615"),
        replaced("last-event 0", "last-event 0 1"),
        replaced("last-event 0", "last-event 0\nlater 1"),
        replaced("\nchannel ", "\nchannel 00"),
        good.substr(0, good.find("last-event"))
    );
    spill(path, broken);
    CHECK(message_of(path) != "no error");
    CHECK(message_of(path).find('\n') == std::string::npos);
    CHECK(as_text(slurp(path)) == broken);
}

TEST_CASE("KeyFile says of a film that it is no key") {
    TempFolder temp;
    spill(temp / "film.ts", random_bytes(5000));
    CHECK_THAT(message_of(temp / "film.ts"), Contains("film.ts is no key file"));
}

TEST_CASE("KeyFile gives out a number that is not used until it is stored") {
    TempFolder temp;
    auto const file = KeyFile::load_or_create(temp / "a.key");
    CHECK(file.next_event(at_ms(5000)) == EventId{5000});
    CHECK(file.next_event(at_ms(5000)) == EventId{5000});
    CHECK(file.last_event() == EventId{});
}

TEST_CASE("KeyFile names the folder in which nothing can be made") {
    TempFolder temp;
    auto file = KeyFile::load_or_create(temp / "keys.key");
    // A folder that has gone fails for root as well.
    std::filesystem::rename(temp.path(), temp.path().string() + "-moved");
    std::string message = "no error";
    try {
        file.store_event(EventId{1});
    } catch (StartError const& error) {
        message = error.what();
    }
    std::filesystem::rename(temp.path().string() + "-moved", temp.path());
    CHECK_THAT(message, Contains("the key's folder " + temp.path().string() + ":"));
    CHECK_THAT(message, !Contains(".new"));
    CHECK(file.last_event() == EventId{});
}

TEST_CASE("KeyFile refuses a seed that is not the channel's") {
    TempFolder temp;
    KeyFile::create(temp / "a.key");
    KeyFile::create(temp / "b.key");
    auto a = std::string(as_text(slurp(temp / "a.key")));
    auto const b = std::string(as_text(slurp(temp / "b.key")));
    auto const seed = [](std::string const& text) { return text.substr(text.find("seed "), 70); };
    a.replace(a.find("seed "), 70, seed(b));
    spill(temp / "a.key", a);
    CHECK_THAT(message_of(temp / "a.key"), Contains("do not belong together"));
}

TEST_CASE("KeyFile::create never replaces a file") {
    TempFolder temp;
    spill(temp / "a.key", "precious");
    CHECK_THROWS_AS(KeyFile::create(temp / "a.key"), StartError);
    CHECK(as_text(slurp(temp / "a.key")) == "precious");
    CHECK(files_in(temp.path()) == 1);
}

TEST_CASE("KeyFile::create makes no folder") {
    TempFolder temp;
    CHECK_THAT(message_of(temp / "new/a.key"), Contains((temp / "new").string()));
    CHECK(files_in(temp.path()) == 0);
}

TEST_CASE("KeyFile warns when others may read the key") {
    TempFolder temp;
    auto const path = temp / "a.key";
    KeyFile::create(path);
    std::filesystem::permissions(
        path, std::filesystem::perms::group_read, std::filesystem::perm_options::add
    );
    REQUIRE(KeyFile::load(path).warning());
    CHECK_THAT(*KeyFile::load(path).warning(), Contains("chmod 600"));
}

TEST_CASE("KeyFile stores the event number in the file that a symbolic link names") {
    TempFolder temp;
    std::filesystem::create_directory(temp / "real");
    KeyFile::create(temp / "real/a.key");
    std::filesystem::create_symlink(temp / "real/a.key", temp / "a.key");
    KeyFile::load(temp / "a.key").store_event(EventId{77});
    CHECK(std::filesystem::is_symlink(temp / "a.key"));
    CHECK(KeyFile::load(temp / "real/a.key").last_event() == EventId{77});
}

TEST_CASE("Channel names are plain and stay in the channels folder") {
    auto const path = channel_key_path("my_radio-2.fm", "/data");
    REQUIRE(path);
    CHECK(*path == "/data/minuteswarm/channels/my_radio-2.fm.key");
    CHECK(channel_key_path(std::string(64, 'a'), "/data"));
    for (auto const* name : {"", ".", "..", ".hidden", "a/b", "../a", "a b", "\xc3\xa4", "a\n"}) {
        CAPTURE(name);
        CHECK_FALSE(channel_key_path(name, "/data"));
    }
    CHECK_FALSE(channel_key_path(std::string(65, 'a'), "/data"));
}
