#include "playout/fetch_order.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace minuteswarm;

using std::chrono::seconds;

namespace {

std::vector<FetchChunk> chunks(std::uint64_t first, std::uint64_t last) {
    std::vector<FetchChunk> result;
    for (auto number = first; number <= last; ++number) {
        result.push_back({.number = {number}, .duration = seconds{4}, .size = 1000});
    }
    return result;
}

std::vector<std::uint64_t> chosen(
    std::vector<FetchChunk> const& known,
    FetchPosition const& position,
    FetchOptions const& options = {}
) {
    std::vector<std::uint64_t> result;
    for (auto const number : choose_fetches(known, position, options))
        result.push_back(number.value);
    return result;
}

using Numbers = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("Fetch order puts what plays next first, then the newest, then the rest") {
    CHECK(chosen(chunks(1, 10), {{3}, {}, false}) == Numbers{3, 4, 10, 5});
    CHECK(chosen(chunks(1, 10), {{9}, {}, false}) == Numbers{9, 10});
    CHECK(chosen({}, {{9}, {}, false}).empty());
}

TEST_CASE("Fetch order never goes behind the playhead nor to what is there") {
    auto known = chunks(1, 8);
    known[3].present = 1000; // 4
    known[7].present = 1000; // 8
    CHECK(chosen(known, {{4}, {}, false}) == Numbers{5, 6, 7});
    CHECK(chosen(known, {{9}, {}, false}).empty());
}

TEST_CASE("Fetch order goes on with what is under way rather than begin another") {
    auto known = chunks(1, 10);
    known[7].is_active = true; // 8
    CHECK(chosen(known, {{1}, {}, false}) == Numbers{1, 2, 10, 8});
}

TEST_CASE("Fetch order keeps to the number of active chunks") {
    FetchOptions options;
    options.active = 1;
    CHECK(chosen(chunks(1, 10), {{1}, {}, false}, options) == Numbers{1});
    CHECK(chosen(chunks(1, 10), {{1}, {}, true}, options) == Numbers{1});
}

TEST_CASE("Fetch order reads ahead in time-shift as far as the bound, counted from what is due") {
    FetchOptions options;
    options.active = 100;
    CHECK(chosen(chunks(1, 20), {{1}, {}, true}, options) == Numbers{1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(chosen(chunks(1, 20), {{5}, seconds{20}, true}, options) == Numbers{5, 6, 7});
    CHECK(chosen(chunks(1, 20), {{5}, seconds{30}, true}, options).empty());

    auto known = chunks(1, 20);
    for (std::size_t at = 0; at < 10; ++at)
        known[at].present = known[at].size;
    CHECK(chosen(known, {{1}, {}, true}, options).empty());
}

TEST_CASE(
    "Fetch order reads at least two chunks ahead in time-shift, however long or large they are"
) {
    std::vector<FetchChunk> known;
    for (std::uint64_t number = 1; number <= 5; ++number) {
        known.push_back({.number = {number}, .duration = seconds{60}, .size = 400 * limits::MiB});
    }
    CHECK(chosen(known, {{1}, {}, true}) == Numbers{1, 2});
    CHECK(chosen(known, {{2}, seconds{60}, true}) == Numbers{2});
    CHECK(chosen(known, {{3}, seconds{120}, true}).empty());
}

TEST_CASE("Fetch order bounds the bytes read ahead in time-shift") {
    std::vector<FetchChunk> known;
    for (std::uint64_t number = 1; number <= 9; ++number) {
        known.push_back({.number = {number}, .duration = seconds{4}, .size = 10 * limits::MiB});
    }
    FetchOptions options;
    options.active = 100;
    CHECK(chosen(known, {{1}, {}, true}, options) == Numbers{1, 2, 3, 4});
    CHECK(chosen(known, {{4}, seconds{12}, true}, options) == Numbers{4});
}

TEST_CASE("Fetch order in time-shift goes beyond what no peer has, and tries that as well") {
    auto known = chunks(1, 30);
    for (std::size_t at = 0; at < 6; ++at)
        known[at].is_unheld = true;
    CHECK(chosen(known, {{1}, {}, true}) == Numbers{1, 2, 3, 4, 7, 8, 9, 10});
    known[1].present = 1; // some peer has it after all
    CHECK(chosen(known, {{1}, {}, true}) == Numbers{1, 2, 3, 4, 5, 7, 8, 9});
    CHECK(chosen(known, {{1}, seconds{30}, true}).empty());
}

TEST_CASE("Fetch order in time-shift goes beyond what was asked for in vain") {
    auto known = chunks(1, 30);
    for (std::size_t at = 0; at < 12; ++at)
        known[at].is_fruitless = true;
    CHECK(chosen(known, {{1}, {}, true}) == Numbers{13, 14, 15, 16});
    known[2].present = 1;
    CHECK(chosen(known, {{1}, {}, true}) == Numbers{3, 13, 14, 15});
}

TEST_CASE("Fetch order takes absurd durations and sizes") {
    auto const most = std::numeric_limits<std::uint64_t>::max();
    std::vector<FetchChunk> known;
    for (auto const duration : {MediaTime::max(), MediaTime::min(), MediaTime{0}, MediaTime{1}}) {
        known.push_back({.number = {known.size() + 1}, .duration = duration, .size = most});
    }
    for (auto const ahead : {MediaTime::max(), MediaTime::min()}) {
        CHECK(chosen(known, {{1}, ahead, false}).size() == 4);
        CHECK(chosen(known, {{1}, ahead, true}).size() <= 4);
    }
}
