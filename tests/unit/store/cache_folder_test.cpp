#include "base/error.hpp"
#include "store/cache_folder.hpp"
#include "support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

using namespace minuteswarm;
namespace fs = std::filesystem;

namespace {

void write(fs::path const& file) {
    std::ofstream{file} << "chunk";
}

/// The folder of a process that was killed with a chunk in it.
fs::path leave_behind(fs::path const& cache, bool keep) {
    auto const child = ::fork();
    if (child == 0) {
        CacheFolder const folder{cache, keep};
        write(folder.path() / "chunk");
        ::_exit(0); // no destructor runs
    }
    ::waitpid(child, nullptr, 0);
    return fs::directory_iterator {
        cache
        } -> path();
}

} // namespace

TEST_CASE("A cache folder goes at the end unless it is kept", "[store]") {
    test::TempFolder const temporary;
    fs::path gone;
    fs::path kept;
    {
        CacheFolder const first{temporary.path(), false};
        CacheFolder const second{temporary.path(), true};
        gone = first.path();
        kept = second.path();
        write(gone / "chunk");
        write(kept / "chunk");
        CHECK(gone != kept);
    }
    CHECK_FALSE(fs::exists(gone));
    CHECK(fs::exists(kept / "chunk"));
}

TEST_CASE("What a killed process left goes with the next start, a kept one stays", "[store]") {
    test::TempFolder const temporary;
    auto const keep = GENERATE(false, true);
    auto const left = leave_behind(temporary.path(), keep);
    REQUIRE(fs::exists(left / "chunk"));
    CacheFolder const next{temporary.path(), false};
    CHECK(fs::exists(left) == keep);
}

TEST_CASE("Folders that are in use, and those of others, are left alone", "[store]") {
    test::TempFolder const temporary;
    fs::create_directory(temporary.path() / "photos");
    write(temporary.path() / "photos" / "one");
    CacheFolder const first{temporary.path(), false};
    write(first.path() / "chunk");
    CacheFolder const second{temporary.path(), false};
    CHECK(fs::exists(first.path() / "chunk"));
    CHECK(fs::exists(temporary.path() / "photos" / "one"));
}

TEST_CASE("A cache folder that cannot be made is one line", "[store]") {
    test::TempFolder const temporary;
    write(temporary.path() / "file");
    CHECK_THROWS_AS((CacheFolder{temporary.path() / "file", false}), StartError);
}
