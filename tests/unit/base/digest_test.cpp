#include "base/digest.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("A digest is BLAKE2b with 16 bytes of output, not a longer one cut short") {
    CHECK(digest({}).hex() == "cae66941d9efbd404e4d88758ea67670");
    CHECK(digest({as_bytes("abc")}).hex() == "cf4ab791c62b8d2b2109c90275287816");
}

TEST_CASE("A digest is of its parts joined") {
    CHECK(digest({as_bytes("a"), as_bytes(""), as_bytes("bc")}) == digest({as_bytes("abc")}));
    CHECK(digest({as_bytes("ab")}) != digest({as_bytes("abc")}));
}
