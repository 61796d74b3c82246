#include "base/error.hpp"
#include "playout/file_output.hpp"
#include "support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>

using namespace minuteswarm;

namespace {

std::error_code write_and_wait(EventLoop& loop, FileOutput& output, std::string_view text) {
    std::optional<std::error_code> result;
    output.write(to_bytes(text), [&](std::error_code error) { result = error; });
    while (!result) {
        loop.io().restart();
        loop.io().run_one_for(std::chrono::seconds{5});
    }
    return *result;
}

} // namespace

TEST_CASE("FileOutput writes in order and replaces what the file held", "[playout]") {
    test::TempFolder const folder;
    auto const path = folder.path() / "out.ts";
    std::ofstream{path} << "something longer that was there before";
    EventLoop loop;
    FileOutput output{loop, path.string()};
    CHECK_FALSE(write_and_wait(loop, output, "first "));
    CHECK_FALSE(write_and_wait(loop, output, "second"));
    std::ifstream file{path};
    CHECK(std::string{std::istreambuf_iterator<char>{file}, {}} == "first second");
}

TEST_CASE("FileOutput says at once when its file cannot be made", "[playout]") {
    EventLoop loop;
    CHECK_THROWS_AS((FileOutput{loop, "/nonexistent/folder/out.ts"}), StartError);
}

TEST_CASE("FileOutput reports a full device", "[playout]") {
    EventLoop loop;
    FileOutput output{loop, "/dev/full"};
    CHECK(write_and_wait(loop, output, "x") == std::errc::no_space_on_device);
}

TEST_CASE("FileOutput ends while the reader of its pipe has stopped reading", "[playout]") {
    test::TempFolder const folder;
    auto const path = folder.path() / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    auto const reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); // NOLINT: open(2)
    REQUIRE(reader >= 0);
    EventLoop loop;
    auto output = std::make_unique<FileOutput>(loop, path.string());
    output->write(Bytes(1'000'000), [](std::error_code) {});
    std::array<char, 20'000> taken{};
    std::size_t read = 0;
    pollfd ready{.fd = reader, .events = POLLIN, .revents = 0};
    while (read < taken.size() && ::poll(&ready, 1, 10'000) > 0) {
        auto const got = ::read(reader, taken.data() + read, taken.size() - read);
        if (got > 0) read += static_cast<std::size_t>(got);
    }
    auto const ended = std::async(std::launch::async, [&] { output.reset(); });
    auto const has_ended = ended.wait_for(std::chrono::seconds{10}) == std::future_status::ready;
    ::close(reader); // so that a blocked write ends, too
    CHECK(has_ended);
    CHECK(read == taken.size());
}
