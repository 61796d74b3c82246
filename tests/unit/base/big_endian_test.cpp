#include "base/big_endian.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("Integers are written and read with their highest byte first") {
    Bytes bytes;
    append_be(bytes, std::uint8_t{1});
    append_be(bytes, std::uint16_t{0x0203});
    append_be(bytes, std::uint32_t{0x04050607});
    append_be(bytes, std::uint64_t{0x08090a0b0c0d0e0f});
    CHECK(bytes == Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
    BigEndianReader reader{bytes};
    CHECK(reader.take<std::uint8_t>() == std::uint8_t{1});
    CHECK(reader.take<std::uint16_t>() == std::uint16_t{0x0203});
    CHECK(reader.take<std::uint32_t>() == std::uint32_t{0x04050607});
    CHECK(reader.take<std::uint64_t>() == std::uint64_t{0x08090a0b0c0d0e0f});
    CHECK(reader.is_empty());
}

TEST_CASE("A reader that has run out gives nothing more, however little is asked for") {
    Bytes const bytes{1, 2, 3, 4, 5, 6};
    BigEndianReader reader{bytes};
    CHECK_FALSE(reader.take<std::uint64_t>());
    CHECK_FALSE(reader.take<std::uint16_t>());
    CHECK_FALSE(reader.take<std::uint8_t>());
    CHECK(reader.rest().empty());
}
