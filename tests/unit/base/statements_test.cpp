#include "base/limits.hpp"
#include "base/statements.hpp"

#include <catch2/catch.hpp>

#include <bit>

using namespace minuteswarm;

TEST_CASE("Piece lengths are the smallest powers of two that give at most 64 pieces") {
    constexpr std::uint64_t small = 64 * 16384;
    CHECK(piece_length(1) == 16384);
    CHECK(piece_length(small) == 16384);
    CHECK(piece_length(small + 1) == 32768);
    CHECK(piece_length(2 * small) == 32768);
    CHECK(piece_length(2 * small + 1) == 65536);
    CHECK(piece_length(limits::chunk_size) == 8 * limits::MiB);
}

TEST_CASE("Piece counts cover every byte and never exceed 64") {
    CHECK(piece_count(0) == 0);
    CHECK(piece_count(1) == 1);
    CHECK(piece_count(16384) == 1);
    CHECK(piece_count(16385) == 2);
    for (std::uint64_t size = 1; size <= limits::chunk_size; size = size * 3 + 1) {
        CAPTURE(size);
        auto const length = piece_length(size);
        auto const count = piece_count(size);
        CHECK(std::has_single_bit(length));
        CHECK(count <= limits::pieces_per_chunk);
        CHECK(std::uint64_t{length} * count >= size);
        CHECK(std::uint64_t{length} * (count - 1) < size);
    }
}

TEST_CASE("Every container has an ending and a type, and its number is fixed") {
    CHECK(static_cast<int>(Container::mpeg_ts) == 0);
    CHECK(static_cast<int>(Container::mp3) == 1);
    CHECK(static_cast<int>(Container::adts) == 2);
    CHECK(static_cast<int>(Container::fmp4) == 3);
    CHECK(extension(Container::mpeg_ts) == "ts");
    CHECK(extension(Container::mp3) == "mp3");
    CHECK(extension(Container::adts) == "aac");
    CHECK(extension(Container::fmp4) == "mp4");
    CHECK(mime_type(Container::mpeg_ts) == "video/mp2t");
    CHECK(mime_type(Container::fmp4) == "video/mp4");
}
