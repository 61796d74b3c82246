#include "swarm/source_proof.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

SessionId session(std::uint8_t number) {
    return {{number, 2, 3, 4, 5, 6, 7, 8}};
}

ChannelKey key(std::uint8_t number) {
    return ChannelKey::from_seed({number});
}

} // namespace

TEST_CASE("A source's proof holds for its two sessions only") {
    auto const channel = key(1).channel();
    auto const proof = prove_source(key(1), session(1), session(2));
    CHECK(is_source_proof(proof, channel, session(1), session(2)));
    CHECK_FALSE(is_source_proof(proof, channel, session(1), session(3)));
    CHECK_FALSE(is_source_proof(proof, channel, session(3), session(2)));
    CHECK_FALSE(is_source_proof(proof, channel, session(2), session(1)));
}

TEST_CASE("Only the channel's key proves its source") {
    auto const proof = prove_source(key(2), session(1), session(2));
    CHECK_FALSE(is_source_proof(proof, key(1).channel(), session(1), session(2)));
    CHECK_FALSE(is_source_proof({}, key(1).channel(), session(1), session(2)));
}

TEST_CASE("A source's proof is that of other implementations") {
    CHECK(
        to_hex(prove_source(key(1), session(1), session(2)).view()) ==
        "34f7c05652d0dba47f899e90c2d3bc415a0e4d71f65ddebbf51257b7bfcb8525"
        "77cbee27558495393b6fc51db39d786f75351cfa83154ae287db8d28d692ed0a"
    );
}
