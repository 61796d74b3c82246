#include "edge/compact_integer.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

Bytes compact(std::uint64_t value) {
    Bytes bytes;
    append_compact(bytes, value);
    return bytes;
}

std::optional<std::uint64_t> taken(Bytes const& bytes, std::uint64_t most = most_compact) {
    BigEndianReader reader{bytes};
    return take_compact(reader, most);
}

} // namespace

TEST_CASE("A compact integer has seven bits a byte, the highest first") {
    CHECK(compact(0) == Bytes{0});
    CHECK(compact(127) == Bytes{0x7f});
    CHECK(compact(128) == Bytes{0x81, 0x00});
    CHECK(compact(300) == Bytes{0x82, 0x2c});
    CHECK(compact(most_compact) == Bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f});
}

TEST_CASE("A compact integer is read back") {
    for (unsigned shift = 0; shift < 63; ++shift) {
        auto const value = (std::uint64_t{1} << shift) + shift / 2;
        CHECK(taken(compact(value)) == value);
        CHECK(taken(compact(value - 1)) == value - 1);
    }
    CHECK(taken(compact(most_compact)) == most_compact);
}

TEST_CASE("A compact integer that is cut short, too long or too large is refused") {
    CHECK_FALSE(taken({}));
    CHECK_FALSE(taken({0x81}));
    CHECK_FALSE(taken({0x80, 0x05}));
    CHECK_FALSE(taken({0x80}));
    CHECK_FALSE(taken(compact(301), 300));
    CHECK(taken(compact(300), 300) == 300);
    CHECK_FALSE(taken({0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}));
    // Would be 5 if the bits above the 64th were lost.
    CHECK_FALSE(taken({0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x05}));
    CHECK_FALSE(taken(Bytes(1000, 0xff)));
}
