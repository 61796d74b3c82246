#include "base/limits.hpp"
#include "edge/subscription_messages.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;

using std::chrono::milliseconds;

namespace {

Bytes from(std::string const& text) {
    Bytes bytes(text.size() / 2);
    REQUIRE(from_hex(text, bytes));
    return bytes;
}

StripeAdvert flowing_home(std::uint8_t stripe) {
    return {{stripe}, true, true, false, 3, 4, 2, milliseconds{240}};
}

AdvertMessage full_advert(std::uint8_t stripes) {
    AdvertMessage advert{{70'000}, 11, 2, 1, true, false, false, {}};
    for (std::uint8_t s = 0; s < stripes; ++s)
        advert.stripes.push_back(flowing_home(s));
    return advert;
}

NodePath path_of(std::uint32_t nodes) {
    NodePath path;
    for (std::uint32_t i = 1; i <= nodes; ++i)
        path.append({i});
    return path;
}

} // namespace

TEST_CASE("An advert names the stripes that changed, three bytes each") {
    AdvertMessage const advert{{300}, 10, 2, 1, true, false, true, {flowing_home(1)}};
    // behind 2, hops 4, need 3, flowing, home: 00010 00100 011 110
    std::string const wire = "822c"
                             "0a"
                             "02"
                             "01"
                             "05"
                             "02"
                             "111e"
                             "0c";
    CHECK(to_hex(encode_body(advert)) == wire);
    auto const decoded = decode_advert(from(wire));
    REQUIRE(decoded);
    CHECK(*decoded == advert);
}

TEST_CASE("A full advert of nine stripes takes at most 40 bytes with its type") {
    auto const advert = full_advert(9);
    CHECK(encode_body(advert).size() + 1 <= 40);
    auto const decoded = decode_advert(encode_body(advert));
    REQUIRE(decoded);
    CHECK(*decoded == advert);
    CHECK(decode_advert(encode_body(full_advert(32))));
}

TEST_CASE("An advert's claims are clamped to what its form can say") {
    AdvertMessage advert{{5}, 3, 9, 0, false, false, false, {flowing_home(0)}};
    advert.stripes[0].age = std::chrono::hours{1};
    advert.stripes[0].hops = 200;
    advert.stripes[0].behind = 200;
    advert.stripes[0].need = 99;
    auto const decoded = decode_advert(encode_body(advert));
    REQUIRE(decoded);
    CHECK(decoded->spare == 3);
    CHECK(decoded->stripes[0].age == StripeAdvert::most_age);
    CHECK(decoded->stripes[0].hops == StripeAdvert::most_hops);
    CHECK(decoded->stripes[0].behind == StripeAdvert::most_behind);
    CHECK(decoded->stripes[0].need == StripeAdvert::nobody);
}

TEST_CASE("An advert is refused when it is cut, goes on, or is written in a longer form") {
    auto const whole = encode_body(full_advert(9));
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(decode_advert(ByteView{whole}.first(size)));
    auto longer = whole;
    longer.push_back(0);
    CHECK_FALSE(decode_advert(longer));
    CHECK(decode_advert(from("0500000000"
                             "00")));
    CHECK_FALSE(decode_advert(from("800500000000"
                                   "00"))); // 5 in two bytes
    CHECK_FALSE(decode_advert(from("0500000010"
                                   "00"))); // a flag of another version
    CHECK_FALSE(decode_advert(from("0500000000"
                                   "9080808000"))); // a 33rd stripe
    CHECK_FALSE(decode_advert(from("ffffffffffffffffff02"
                                   "00000000"
                                   "00")));
}

TEST_CASE("An advert tells of random access points by their distance from the newest group") {
    AdvertMessage advert{{300}, 10, 2, 1, false, false, false, {}, {{300}, {292}, {100}}};
    CHECK(
        to_hex(encode_body(advert)) == "822c0a02010800"
                                       "03"
                                       "0008"
                                       "8148"
    );
    auto const decoded = decode_advert(encode_body(advert));
    REQUIRE(decoded);
    CHECK(*decoded == advert);
    CHECK_FALSE(decode_advert(from("05000000080000")));     // none
    CHECK_FALSE(decode_advert(from("0500000008000106")));   // before the first group
    CHECK_FALSE(decode_advert(from("050000000800020101"))); // twice
    CHECK_FALSE(decode_advert(from("050000000800020201"))); // not the newest first
    CHECK_FALSE(decode_advert(from("0500000008000200")));   // cut
    CHECK_FALSE(decode_advert(from("822c0000000800"
                                   "09000102030405060708"))); // too many
}

TEST_CASE("A subscribe says from where on and what is held") {
    SubscribeMessage message{{3}, {300}, 0x000000ff};
    message.is_home = message.is_relay = message.is_needy = true;
    CHECK(to_hex(encode_body(message)) == "0347822c000000ff");
    auto const decoded = decode_subscribe(encode_body(message));
    REQUIRE(decoded);
    CHECK(*decoded == message);
    CHECK_FALSE(decode_subscribe(from("0347822c000000")));
    CHECK_FALSE(decode_subscribe(from("0347822c000000ff00")));
    CHECK_FALSE(decode_subscribe(from("2047822c000000ff")));
    CHECK_FALSE(decode_subscribe(from("0380822c000000ff")));
}

TEST_CASE("Every flag of a subscribe has a bit of its own") {
    for (unsigned bit = 0; bit < 7; ++bit) {
        Bytes body{0, static_cast<std::uint8_t>(1U << bit), 0, 0, 0, 0, 0};
        auto const decoded = decode_subscribe(body);
        REQUIRE(decoded);
        CHECK(encode_body(*decoded) == body);
    }
}

TEST_CASE("An accept carries the path of the blocks to come") {
    AcceptMessage const message{{3}, path_of(2), {7}};
    CHECK(to_hex(encode_body(message)) == "03000000070000000100000002");
    auto const decoded = decode_accept(encode_body(message));
    REQUIRE(decoded);
    CHECK(*decoded == message);
    CHECK_FALSE(decode_accept(from("0300000007")));
    CHECK_FALSE(decode_accept(from("0300000007000001")));
    auto body = encode_body(AcceptMessage{{3}, path_of(limits::edge_path), {}});
    CHECK(decode_accept(body));
    append(body, from("00000063"));
    CHECK_FALSE(decode_accept(body));
}

TEST_CASE("Reject, unsubscribe and preempt are of fixed length") {
    RejectMessage const reject{{3}, RejectMessage::Reason::loop};
    CHECK(to_hex(encode_body(reject)) == "0302");
    CHECK(*decode_reject(from("0302")) == reject);
    CHECK_FALSE(decode_reject(from("0300")));
    CHECK_FALSE(decode_reject(from("0304")));
    CHECK_FALSE(decode_reject(from("030201")));
    CHECK(*decode_unsubscribe(from("1f")) == UnsubscribeMessage{{31}});
    CHECK_FALSE(decode_unsubscribe(from("20")));
    CHECK_FALSE(decode_unsubscribe({}));
    PreemptMessage message{{3}, {7}, {}, 6881};
    message.address[15] = 9;
    CHECK(
        to_hex(encode_body(message)) == "030000000700000000000000000000000000000009"
                                        "1ae1"
    );
    CHECK(*decode_preempt(encode_body(message)) == message);
    CHECK_FALSE(decode_preempt(from("03000000070000000000000000000000000000000900")));
}
