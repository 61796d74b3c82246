#include "http/host_check.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;

TEST_CASE("Host check lets this computer's own names pass, at any port") {
    for (auto const* host :
         {"localhost",
          "LocalHost:8088",
          "localhost.",
          "127.0.0.1",
          "127.0.0.1:8088",
          "127.8.9.10:1",
          "[::1]",
          "[::1]:8088",
          "[::ffff:127.0.0.1]:80"}) {
        CAPTURE(host);
        CHECK(is_own_host(host, "127.0.0.1"));
    }
}

TEST_CASE("Host check refuses names of the web, whatever they resolve to") {
    for (auto const* host :
         {"",
          "evil.example",
          "evil.example:8088",
          "localhost.evil.example",
          "127.0.0.1.evil.example",
          "127.0.0.1:8088:1",
          "127.0.0.1:port",
          "127.0.0.1:123456",
          "192.168.1.20",
          "0.0.0.0",
          "[::1",
          "[::1]x",
          "[]",
          "::1",
          "user@127.0.0.1",
          "127.0.0.1 ",
          "127.1",
          "2130706433"}) {
        CAPTURE(host);
        CHECK_FALSE(is_own_host(host, "127.0.0.1"));
    }
    CHECK_FALSE(is_own_host(std::string(300, 'a'), "127.0.0.1"));
}

TEST_CASE("Host check lets the address pass at which the connection came in") {
    CHECK(is_own_host("192.168.1.20:8088", "192.168.1.20"));
    CHECK(is_own_host("192.168.1.20", "::ffff:192.168.1.20"));
    CHECK(is_own_host("[fd00::5]:8088", "fd00::5"));
    CHECK_FALSE(is_own_host("192.168.1.21", "192.168.1.20"));
    CHECK_FALSE(is_own_host("192.168.1.20", "no address"));
}
