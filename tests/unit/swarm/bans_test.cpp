#include "base/limits.hpp"
#include "swarm/bans.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

constexpr MonotonicTime start{1h};

PeerAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

PeerAddress v6(std::uint8_t a, std::uint8_t b) {
    return {a, b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

SessionId session(std::uint8_t number) {
    return {{number}};
}

} // namespace

TEST_CASE("A ban holds for the session at its address, and for no other") {
    Bans bans;
    auto const address = v4(198, 51, 100, 7);
    bans.add(address, session(1), start);
    CHECK(bans.is_banned(address, session(1), start));
    CHECK(bans.is_banned(address, session(1), start + 24h));
    CHECK_FALSE(bans.is_banned(address, session(2), start));
    CHECK_FALSE(bans.is_banned(v4(198, 51, 100, 8), session(1), start));
}

TEST_CASE("A public address is banned whole after three sessions, for ten minutes") {
    Bans bans;
    auto const address = v4(198, 51, 100, 7);
    bans.add(address, session(1), start);
    bans.add(address, session(2), start + 1min);
    CHECK_FALSE(bans.is_banned(address, session(9), start + 1min));
    bans.add(address, session(3), start + 2min);
    CHECK(bans.is_banned(address, session(9), start + 2min));
    CHECK_FALSE(bans.is_banned(v4(198, 51, 100, 8), session(9), start + 2min));
    CHECK_FALSE(bans.is_banned(address, session(9), start + 10min));
}

TEST_CASE("One session that offends again and again does not ban its address") {
    Bans bans;
    auto const address = v4(198, 51, 100, 7);
    for (int i = 0; i < 10; ++i)
        bans.add(address, session(1), start);
    CHECK(bans.count() == 1);
    CHECK_FALSE(bans.is_banned(address, session(2), start));
}

TEST_CASE("Addresses behind which many may live are never banned whole") {
    auto const address = GENERATE(
        v4(127, 0, 0, 1),
        v4(10, 1, 2, 3),
        v4(192, 168, 0, 9),
        v4(172, 31, 0, 1),
        v4(169, 254, 1, 1),
        v4(100, 64, 0, 1),
        v6(0xfc, 0),
        v6(0xfd, 7),
        v6(0xfe, 0x80),
        v6(0, 0)
    );
    CHECK(is_shared_address(address));
    Bans bans;
    for (std::uint8_t i = 1; i <= 5; ++i)
        bans.add(address, session(i), start);
    CHECK(bans.is_banned(address, session(3), start));
    CHECK_FALSE(bans.is_banned(address, session(9), start));
}

TEST_CASE("Public addresses are told from shared ones at the edges of their blocks") {
    auto const address = GENERATE(
        v4(172, 15, 0, 1),
        v4(172, 32, 0, 1),
        v4(192, 167, 0, 1),
        v4(100, 63, 0, 1),
        v4(100, 128, 0, 1),
        v4(11, 0, 0, 1),
        v4(128, 0, 0, 1),
        v6(0xfe, 0xc0),
        v6(0x20, 0x01)
    );
    CHECK_FALSE(is_shared_address(address));
}

TEST_CASE("Bans remember the newest offences only") {
    Bans bans;
    for (std::size_t i = 0; i < limits::banned_sessions + 10; ++i) {
        SessionId const id{{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)}};
        bans.add(v4(198, 51, 100, 7), id, start);
    }
    CHECK(bans.count() == limits::banned_sessions);
    CHECK_FALSE(bans.is_banned(v4(198, 51, 100, 7), SessionId{}, start + 1h));
}
