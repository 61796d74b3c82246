#include "base/signature.hpp"

#include <catch2/catch.hpp>

#include <sodium.h>

#include <algorithm>

using namespace minuteswarm;

namespace {

struct Vector {
    char const* seed;
    char const* channel;
    char const* message;
    char const* signature;
};

// RFC 8032 7.1, tests 1 to 3.
constexpr Vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

ChannelKey key_of(std::string_view seed_hex) {
    ChannelKey::Seed seed;
    REQUIRE(from_hex(seed_hex, seed));
    return ChannelKey::from_seed(seed);
}

Bytes bytes_of(std::string_view hex) {
    Bytes bytes(hex.size() / 2);
    REQUIRE(from_hex(hex, bytes));
    return bytes;
}

} // namespace

TEST_CASE("Signatures agree with RFC 8032") {
    for (auto const& vector : vectors) {
        CAPTURE(vector.seed);
        auto const key = key_of(vector.seed);
        auto const message = bytes_of(vector.message);
        CHECK(key.channel().hex() == vector.channel);
        CHECK(key.sign({message}).hex() == vector.signature);
        CHECK(verify(key.channel(), *Signature::parse_hex(vector.signature), {message}));
    }
}

TEST_CASE("A signature covers the concatenation of its parts") {
    auto const key = ChannelKey::generate();
    auto const signature = key.sign({as_bytes("ab"), as_bytes("c")});
    CHECK(verify(key.channel(), signature, {as_bytes("abc")}));
    CHECK_FALSE(verify(key.channel(), signature, {as_bytes("abd")}));
    CHECK_FALSE(verify(ChannelKey::generate().channel(), signature, {as_bytes("abc")}));
}

TEST_CASE("Keys that are no curve points or of small order verify nothing") {
    auto const signature = ChannelKey::generate().sign({as_bytes("a")});
    ChannelId all_ones;
    all_ones.bytes.fill(0xff);
    CHECK_FALSE(verify(all_ones, signature, {as_bytes("a")}));
    CHECK_FALSE(verify(ChannelId{}, signature, {as_bytes("a")}));
    CHECK_FALSE(verify(ChannelId{}, Signature{}, {as_bytes("a")}));
}

TEST_CASE("A key comes back from its seed") {
    auto const key = ChannelKey::generate();
    CHECK(ChannelKey::from_seed(key.seed()).channel() == key.channel());
    CHECK(ChannelKey::generate().channel() != key.channel());
}

TEST_CASE("The expanded key's scalar yields the channel") {
    auto const key = key_of(vectors[1].seed);
    auto const expanded = key.expanded();
    ChannelId channel;
    REQUIRE(crypto_scalarmult_ed25519_base_noclamp(channel.bytes.data(), expanded.data()) == 0);
    CHECK(channel == key.channel());
}

TEST_CASE("Random ids differ") {
    CHECK(random_id<SessionId>() != random_id<SessionId>());
}
