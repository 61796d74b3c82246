#include "edge/group_window.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr MonotonicTime start{seconds{100}};
constexpr milliseconds span{250};

} // namespace

TEST_CASE("A group window tells a new block from one that was there") {
    GroupWindow window;
    CHECK(window.is_empty());
    CHECK(window.add({7}, {2}, start));
    CHECK_FALSE(window.add({7}, {2}, start));
    CHECK(window.add({7}, {0}, start));
    CHECK(window.held({7}) == 5);
    CHECK(window.held({8}) == 0);
}

TEST_CASE("A group window keeps the newest groups only, however far ahead a block is") {
    GroupWindow window;
    window.add({7}, {0}, start);
    CHECK(window.add({1'000'000'007}, {0}, start));
    CHECK(window.held({7}) == 0);
    CHECK_FALSE(window.add({8}, {0}, start));
    CHECK(window.add({1'000'000'007 - limits::edge_accounted_groups + 1}, {0}, start));
    CHECK_FALSE(window.add({1'000'000'007 - limits::edge_accounted_groups}, {0}, start));
}

TEST_CASE("A group window takes blocks from behind the first one") {
    GroupWindow window;
    window.add({7}, {0}, start);
    CHECK(window.add({5}, {1}, start));
    CHECK(window.held({5}) == 2);
    CHECK(window.held({6}) == 0);
    CHECK(window.first() == GroupNumber{5});
}

TEST_CASE("Missing groups are those neither rebuilt nor too new nor given up") {
    GroupWindow window;
    for (std::uint64_t group = 0; group < 10; ++group)
        window.add({group}, {0}, start + group * milliseconds{250});
    window.set_rebuilt({1}, 0x1ff, start + seconds{1});
    auto const missing = window.missing(start + seconds{2}, milliseconds{1000}, seconds{2}, span);
    REQUIRE(missing.size() == 3);
    CHECK(missing.front().group == GroupNumber{2});
    CHECK(missing.back().group == GroupNumber{4});
    CHECK(missing.front().held == 1);
}

TEST_CASE("When a group was made follows from its blocks, else from later groups") {
    GroupWindow window;
    window.add({7}, {0}, start, seconds{3});
    window.add({11}, {0}, start + seconds{1}, seconds{2});
    window.add({11}, {1}, start + seconds{1}, milliseconds{1500}); // who says less is believed
    window.add({12}, {0}, start + seconds{1}, -seconds{5});        // but not before it was here
    window.add({13}, {0}, start + seconds{1});
    auto const missing = window.missing(start + seconds{2}, {}, seconds{9}, span);
    REQUIRE(missing.size() == 6);
    CHECK(missing[0].made == start - seconds{3}); // 7
    CHECK(missing[4].made == start - milliseconds{500});
    CHECK(missing[3].made == missing[4].made - span); // nothing of it has come
    CHECK(missing[1].made == missing[4].made - 3 * span);
    CHECK(missing[5].made == start + seconds{1}); // 12
}

TEST_CASE("Incomplete is how far back the oldest group reaches that is not rebuilt") {
    GroupWindow window;
    CHECK(window.incomplete(start, seconds{6}) == 255);
    for (std::uint64_t group = 0; group < 4; ++group) {
        window.add({group}, {0}, start);
        if (group != 1) window.set_rebuilt({group}, 0x1ff, start);
    }
    CHECK(window.incomplete(start, seconds{6}) == 3);
    window.set_rebuilt({1}, 0x1ff, start);
    CHECK(window.incomplete(start, seconds{6}) == 0);
}
