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

TEST_CASE("What a source signs to prove itself is said in source_proof.hpp") {
    auto const channel = key(1).channel();
    auto const proof = prove_source(key(1), session(1), session(2));
    auto const domain = as_bytes("minuteswarm:source:1:");
    CHECK(verify(channel, proof, {domain, channel.view(), session(1).view(), session(2).view()}));
}
