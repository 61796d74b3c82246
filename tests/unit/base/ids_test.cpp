#include "base/ids.hpp"

#include <catch2/catch.hpp>

#include <unordered_set>

using namespace minuteswarm;

TEST_CASE("Hex digits come back as the bytes they were made from") {
    Bytes const bytes{0x00, 0x7f, 0x80, 0xff};
    CHECK(to_hex(bytes) == "007f80ff");
    Bytes back(4);
    REQUIRE(from_hex("007F80fF", back));
    CHECK(back == bytes);
    CHECK(to_hex({}).empty());
    CHECK(from_hex("", {}));
}

TEST_CASE("Hex of the wrong length or with other characters is refused") {
    Bytes out(2);
    for (auto const* const text : {"", "000", "00000", "000g", "0x00", "00 0", "+1+1"}) {
        CAPTURE(text);
        CHECK_FALSE(from_hex(text, out));
    }
}

TEST_CASE("An id is made from exactly its length") {
    CHECK(RunId::from(Bytes(8, 1)).has_value());
    CHECK_FALSE(RunId::from(Bytes(7)).has_value());
    CHECK_FALSE(RunId::from(Bytes(9)).has_value());
    CHECK(RunId::parse_hex("0102030405060708")->hex() == "0102030405060708");
    CHECK_FALSE(RunId::parse_hex("01020304050607").has_value());
}

TEST_CASE("Ids compare by their bytes and can be keys") {
    auto const low = *RunId::parse_hex("00000000000000ff");
    auto const high = *RunId::parse_hex("0100000000000000");
    CHECK(low < high);
    std::unordered_set<RunId> const ids{low, high, low};
    CHECK(ids.size() == 2);
}

TEST_CASE("A chunk key orders by channel, event, rendition and number") {
    ChunkKey const key{{}, {1}, {2}, {3}};
    CHECK(key < ChunkKey{{}, {1}, {2}, {4}});
    CHECK(key < ChunkKey{{}, {1}, {3}, {0}});
    CHECK(key < ChunkKey{{}, {2}, {0}, {0}});
}

TEST_CASE("The short form of a channel is its first 16 digits") {
    ChannelId channel;
    channel.bytes[0] = 0xab;
    channel.bytes[7] = 0xcd;
    channel.bytes[8] = 0xef;
    CHECK(short_hex(channel) == "ab000000000000cd");
}
