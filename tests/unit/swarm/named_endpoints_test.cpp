#include "swarm/named_endpoints.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

PeerAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

PeerAddress v6(std::uint8_t first, std::uint8_t second, std::uint8_t last) {
    PeerAddress address{first, second};
    address[15] = last;
    return address;
}

PeerAddress const somewhere = v4(93, 184, 216, 34);
PeerAddress const at_home = v4(192, 168, 1, 2);
PeerAddress const here = v4(127, 0, 0, 1);

} // namespace

TEST_CASE("A public endpoint is worth dialling, whoever names it") {
    for (auto const& teller : {somewhere, at_home, here}) {
        CHECK(is_worth_dialling({v4(8, 8, 4, 4), 6881}, teller));
        CHECK(is_worth_dialling({v6(0x20, 0x01, 1), 6881}, teller));
    }
}

TEST_CASE("Ports of the system are not dialled because a peer says so") {
    for (auto const port : std::initializer_list<std::uint16_t>{0, 22, 25, 80, 1023})
        CHECK_FALSE(is_worth_dialling({somewhere, port}, somewhere));
    CHECK(is_worth_dialling({somewhere, 1024}, somewhere));
}

TEST_CASE("Private endpoints are named by those behind the same door only") {
    for (auto const& named : {v4(10, 0, 0, 1), at_home, v4(169, 254, 1, 1), v6(0xfd, 0, 1)}) {
        CHECK_FALSE(is_worth_dialling({named, 6881}, somewhere));
        CHECK(is_worth_dialling({named, 6881}, at_home));
    }
    for (auto const& named : {here, v6(0, 0, 1)}) {
        CHECK_FALSE(is_worth_dialling({named, 6881}, somewhere));
        CHECK_FALSE(is_worth_dialling({named, 6881}, at_home));
        CHECK(is_worth_dialling({named, 6881}, here));
    }
}

TEST_CASE("What is no host is not dialled") {
    for (auto const& named :
         {v4(0, 0, 0, 0), v4(224, 0, 0, 1), v4(255, 255, 255, 255), v6(0, 0, 0), v6(0xff, 2, 1)})
        CHECK_FALSE(is_worth_dialling({named, 6881}, here));
}
