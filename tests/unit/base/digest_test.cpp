#include "base/digest.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("A digest is the first 12 bytes of BLAKE2b with 16 bytes of output") {
    CHECK(digest({}).hex() == "cae66941d9efbd404e4d8875");
    CHECK(digest({as_bytes("abc")}).hex() == "cf4ab791c62b8d2b2109c902");
}

TEST_CASE("A digest is of its parts joined") {
    CHECK(digest({as_bytes("a"), as_bytes(""), as_bytes("bc")}) == digest({as_bytes("abc")}));
    CHECK(digest({as_bytes("ab")}) != digest({as_bytes("abc")}));
}
