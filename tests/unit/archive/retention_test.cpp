#include "archive/retention.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

/// `count` chunks of 4 s and 100 bytes.
std::vector<KeptChunk> chunks(std::uint64_t count) {
    std::vector<KeptChunk> kept;
    for (std::uint64_t number = 1; number <= count; ++number) {
        kept.push_back({{number}, seconds(4 * static_cast<std::int64_t>(number)), 100});
    }
    return kept;
}

} // namespace

TEST_CASE("Retention is a time, a size or everything") {
    CHECK(*parse_retention("all") == Retention{});
    CHECK(parse_retention("24h")->age == hours(24));
    CHECK(parse_retention("90m")->age == seconds(5400));
    CHECK(parse_retention("7d")->age == hours(168));
    CHECK(parse_retention("30s")->age == seconds(30));
    CHECK(parse_retention("10G")->size == std::uint64_t{10} << 30);
    CHECK(parse_retention("500M")->size == std::uint64_t{500} << 20);
    CHECK(parse_retention("2T")->size == std::uint64_t{2} << 40);
    for (auto const* wrong :
         {"",
          "24",
          "h",
          "0h",
          "-1h",
          "1.5h",
          "24hh",
          " 24h",
          "10g",
          "10K",
          "99999999999999999999h",
          "9999999999999999G",
          "18446744073709551615s",
          "ALL"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_retention(wrong));
    }
}

TEST_CASE("Retention by time drops what ended too long before the newest chunk") {
    auto const kept = chunks(100);
    auto const expired = expired_chunks({seconds(80), {}}, kept);
    REQUIRE(expired.size() == 79);
    CHECK(expired.front() == ChunkNumber{1});
    CHECK(expired.back() == ChunkNumber{79});
}

TEST_CASE("Retention by size drops the oldest until the rest fits") {
    auto const expired = expired_chunks({{}, 2050}, chunks(100));
    REQUIRE(expired.size() == 80);
    CHECK(expired.back() == ChunkNumber{80});
    CHECK(expired_chunks({{}, 10'000}, chunks(100)).empty());
}

TEST_CASE("Retention never drops the newest chunks and drops nothing without a limit") {
    CHECK(expired_chunks({seconds(1), 1}, chunks(100)).size() == 100 - retention_floor);
    CHECK(expired_chunks({seconds(1), 1}, chunks(retention_floor)).empty());
    CHECK(expired_chunks({seconds(1), 1}, {}).empty());
    CHECK(expired_chunks({}, chunks(100)).empty());
}
