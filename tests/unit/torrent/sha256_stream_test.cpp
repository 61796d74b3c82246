#include "base/text.hpp"
#include "torrent/sha256_stream.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("SHA-256 of FIPS 180's example, in parts and of nothing") {
    Sha256Stream whole, parts, nothing;
    whole.add(as_bytes("abc"));
    parts.add(as_bytes("a"));
    parts.add({});
    parts.add(as_bytes("bc"));
    auto const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    CHECK(whole.finish().hex() == expected);
    CHECK(parts.finish().hex() == expected);
    CHECK(
        nothing.finish().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}
