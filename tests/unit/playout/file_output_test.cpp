#include "base/error.hpp"
#include "playout/file_output.hpp"
#include "support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
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
