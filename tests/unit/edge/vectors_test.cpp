#include "edge/striper.hpp"
#include "unit/edge/vectors.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

std::vector<Block> source_blocks() {
    return stripe_group(edge_vectors::group(), ParityCode{4, 2}, edge_vectors::key());
}

} // namespace

TEST_CASE("The signed group and its blocks are those of other implementations") {
    auto const blocks = source_blocks();
    REQUIRE(blocks.size() == 6);
    CHECK(blocks[0].claimed_seal().root.hex() == edge_vectors::root);
    CHECK(to_hex(encode(blocks[3])) == edge_vectors::padded_block);
    auto const forwarded_block = forwarded(blocks[5], {0x0a0b0c0d}, std::chrono::milliseconds{300});
    REQUIRE(forwarded_block);
    CHECK(to_hex(encode(*forwarded_block)) == edge_vectors::parity_block);
}

TEST_CASE("Blocks of other implementations are understood") {
    auto const parity =
        decode_block(edge_vectors::bytes_of(edge_vectors::parity_block), edge_vectors::scope());
    REQUIRE(parity);
    CHECK(parity->header == edge_vectors::group().header);
    CHECK(parity->stripe == StripeIndex{5});
    CHECK(parity->path == std::vector<NodeId>{{0x01020304}, {0x0a0b0c0d}});
    CHECK(parity->age == std::chrono::milliseconds{300});
    CHECK(is_genuine(parity->claimed_seal(), edge_vectors::key().channel()));
    auto const padded =
        decode_block(edge_vectors::bytes_of(edge_vectors::padded_block), edge_vectors::scope());
    REQUIRE(padded);
    CHECK(padded->claimed_seal() == parity->claimed_seal());
}

TEST_CASE("A list of stripes has the bytes of other implementations") {
    CHECK(to_hex(encode(edge_vectors::list())) == edge_vectors::stripe_list);
    auto const list = decode_stripe_list(edge_vectors::bytes_of(edge_vectors::stripe_list));
    REQUIRE(list);
    CHECK(*list == edge_vectors::list());
}
