#include "store/byte_ranges.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bitset>
#include <random>

using namespace minuteswarm;

namespace {

constexpr std::size_t span = 256;

std::size_t runs_of(std::bitset<span> const& bits) {
    std::size_t runs = 0;
    for (std::size_t i = 0; i < span; ++i) {
        if (bits[i] && (i == 0 || !bits[i - 1])) ++runs;
    }
    return runs;
}

std::size_t end_of_run(std::bitset<span> const& bits, std::size_t at) {
    while (at < span && bits[at])
        ++at;
    return at;
}

} // namespace

TEST_CASE("ByteRanges start empty and hold no byte") {
    ByteRanges const ranges;
    CHECK(ranges.total() == 0);
    CHECK(ranges.count() == 0);
    CHECK_FALSE(ranges.contains(0, 1));
    CHECK(ranges.contiguous_end(7) == 7);
}

TEST_CASE("ByteRanges merge what touches and what overlaps") {
    ByteRanges ranges;
    ranges.add(10, 20);
    ranges.add(30, 40);
    CHECK(ranges.count() == 2);
    CHECK_FALSE(ranges.contains(10, 40));
    ranges.add(20, 30);
    CHECK(ranges.count() == 1);
    CHECK(ranges.contains(10, 40));
    CHECK(ranges.total() == 30);
    ranges.add(0, 100);
    CHECK(ranges.count() == 1);
    CHECK(ranges.total() == 100);
}

TEST_CASE("ByteRanges ignore an empty range and contain it everywhere") {
    ByteRanges ranges;
    ranges.add(5, 5);
    ranges.add(9, 3);
    CHECK(ranges.total() == 0);
    CHECK(ranges.count() == 0);
    CHECK(ranges.contains(5, 5));
}

TEST_CASE("ByteRanges tell where the bytes from an offset on end") {
    ByteRanges ranges;
    ranges.add(10, 20);
    CHECK(ranges.contiguous_end(9) == 9);
    CHECK(ranges.contiguous_end(10) == 20);
    CHECK(ranges.contiguous_end(19) == 20);
    CHECK(ranges.contiguous_end(20) == 20);
}

TEST_CASE("ByteRanges agree with a set of bits whatever is added and removed") {
    std::mt19937 random{7}; // NOLINT: the same cases each time
    for (int round = 0; round < 100; ++round) {
        ByteRanges ranges;
        std::bitset<span> bits;
        for (int step = 0; step < 40; ++step) {
            auto const begin = random() % span;
            auto const end = std::min<std::size_t>(begin + random() % 24, span);
            auto const is_added = random() % 3 != 0;
            is_added ? ranges.add(begin, end) : ranges.remove(begin, end);
            for (auto i = begin; i < end; ++i)
                bits.set(i, is_added);
            REQUIRE(ranges.total() == bits.count());
            REQUIRE(ranges.count() == runs_of(bits));
            auto const at = random() % span;
            REQUIRE(ranges.contiguous_end(at) == end_of_run(bits, at));
            auto const past = at + 1 + random() % 8;
            REQUIRE(ranges.contains(at, past) == (end_of_run(bits, at) >= past));
        }
    }
}

TEST_CASE("ByteRanges take a part out of what is there") {
    ByteRanges ranges;
    ranges.add(10, 20);
    ranges.add(30, 40);
    ranges.remove(15, 35);
    CHECK(ranges.total() == 10);
    CHECK(ranges.contains(10, 15));
    CHECK(ranges.contains(35, 40));
    ranges.remove(12, 13);
    CHECK(ranges.count() == 3);
    ranges.remove(5, 5);
    ranges.remove(20, 30);
    CHECK(ranges.total() == 9);
    ranges.remove(0, 100);
    CHECK(ranges.count() == 0);
    CHECK(ranges.total() == 0);
}
