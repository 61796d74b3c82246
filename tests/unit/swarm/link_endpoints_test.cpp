#include "swarm/link_endpoints.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

using Endpoints = std::vector<std::string>;

TEST_CASE("A link names outward addresses, public ones first, each once") {
    CHECK(
        choose_link_endpoints(
            {"127.0.0.1:1",
             "192.168.0.7:1",
             "[fe80::1]:1",
             "198.51.100.7:1",
             "192.168.0.7:1",
             "[2001:db8::7]:1",
             "[::1]:1"}
        ) == Endpoints{"198.51.100.7:1", "[2001:db8::7]:1", "192.168.0.7:1"}
    );
}

TEST_CASE("A link of a node on loopback alone names that") {
    Endpoints const own{"127.0.0.1:7", "[::1]:7"};
    CHECK(choose_link_endpoints(own) == own);
    CHECK(is_loopback_only(own));
    CHECK_FALSE(is_loopback_only({"127.0.0.1:7", "192.168.0.7:7"}));
}

TEST_CASE("A link names at most eight addresses, and keeps the public ones") {
    Endpoints own;
    for (int i = 1; i <= 20; ++i)
        own.push_back("192.168.0." + std::to_string(i) + ":1");
    own.push_back("198.51.100.7:1");
    auto const chosen = choose_link_endpoints(own);
    CHECK(chosen.size() == 8);
    CHECK(chosen.front() == "198.51.100.7:1");
}

TEST_CASE("Only a public address is reachable from outside") {
    CHECK(is_reachable_from_outside({"192.168.0.7:1", "198.51.100.7:1"}));
    CHECK_FALSE(is_reachable_from_outside({"192.168.0.7:1", "[fe80::1]:1", "127.0.0.1:1"}));
    CHECK_FALSE(is_reachable_from_outside({"100.64.3.4:1"})); // a provider's own network
    CHECK_FALSE(is_reachable_from_outside({}));
    CHECK_FALSE(is_reachable_from_outside({"no address"}));
}
