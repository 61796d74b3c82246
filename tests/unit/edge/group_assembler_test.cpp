#include "edge/group_assembler.hpp"
#include "unit/edge/edge_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

constexpr MonotonicTime start{};

struct Fixture {
    explicit Fixture(edge_builder::Shape shape = {})
        : group(edge_builder::group(7, shape))
        , blocks(edge_builder::blocks(group))
        , code(shape.stripes, shape.parity)
        , assembler(blocks.front().claimed_seal()) {}

    void add_all_but(StripeIndex missing) {
        for (auto const& block : blocks) {
            if (block.stripe != missing) assembler.add(block, start);
        }
    }

    Group group;
    std::vector<Block> blocks;
    ParityCode code;
    GroupAssembler assembler;
};

} // namespace

TEST_CASE("Bytes in order are known block by block") {
    Fixture f{{4001, 8, 1}}; // 501 bytes a block, 7 of them padding
    CHECK(f.assembler.prefix() == 0);
    f.assembler.add(f.blocks[0], start);
    f.assembler.add(f.blocks[2], start);
    CHECK(f.assembler.prefix() == 501);
    f.assembler.add(f.blocks[1], start);
    CHECK(f.assembler.prefix() == 3 * 501);
    for (std::size_t i = 3; i < 8; ++i)
        f.assembler.add(f.blocks[i], start);
    CHECK(f.assembler.prefix() == 4001);
    CHECK(f.assembler.has_all_data());
}

TEST_CASE("Each data block's bytes can be taken once, at their place in the chunk") {
    Fixture f{{4001, 8, 1}};
    auto const& header = f.group.header;
    Bytes chunk(header.offset.value + header.length);
    std::size_t pieces = 0;
    for (auto const stripe : {3, 8, 1, 0, 7, 2, 6, 5, 4}) {
        f.assembler.add(f.blocks[static_cast<std::size_t>(stripe)], start);
        for (auto const& bytes : f.assembler.take_bytes()) {
            ++pieces;
            CHECK(bytes.chunk == header.chunk);
            auto const at = static_cast<std::ptrdiff_t>(bytes.offset.value);
            REQUIRE(bytes.offset.value + bytes.size <= chunk.size());
            std::ranges::copy(bytes.view(), chunk.begin() + at);
        }
    }
    CHECK(pieces == 8);
    CHECK(std::ranges::equal(ByteView{chunk}.subspan(header.offset.value), f.group.bytes));
    CHECK(f.assembler.take_bytes().empty());
}

TEST_CASE("A stripe that is nothing but padding gives no bytes") {
    Fixture f{{3, 8, 1}};
    f.add_all_but({8});
    CHECK(f.assembler.has_all_data());
    CHECK(f.assembler.take_bytes().size() == 3);
}

TEST_CASE("A second block of a stripe changes nothing") {
    Fixture f;
    CHECK(f.assembler.add(f.blocks[2], start));
    CHECK_FALSE(f.assembler.add(f.blocks[2], start));
    CHECK(f.assembler.memory() == 500);
}

TEST_CASE("A rebuilt block is the very one the source signed") {
    for (std::uint8_t missing = 0; missing < 9; ++missing) {
        Fixture f;
        f.add_all_but({missing});
        auto const made = f.assembler.rebuild(f.code, start);
        REQUIRE(made);
        CHECK(*made == mask_of({missing}));
        auto const block = f.assembler.block({missing}, start);
        REQUIRE(block);
        CHECK(edge_builder::is_same(*block, f.blocks[missing]));
        CHECK(is_genuine(block->claimed_seal(), edge_vectors::key().channel()));
        CHECK(block->path.empty());
        CHECK(f.assembler.has_all_data());
    }
}

TEST_CASE("Nothing is rebuilt of fewer than K blocks, or when nothing is missing") {
    Fixture f{{4000, 4, 2}};
    for (std::size_t i = 0; i < 3; ++i)
        f.assembler.add(f.blocks[i], start);
    CHECK_FALSE(f.assembler.can_rebuild());
    CHECK(*f.assembler.rebuild(f.code, start) == 0);
    f.assembler.add(f.blocks[5], start);
    CHECK(*f.assembler.rebuild(f.code, start) == 0b011000);
    CHECK(*f.assembler.rebuild(f.code, start) == 0);
}

TEST_CASE("A group whose blocks the source signed though they do not belong together is not rebuilt"
) {
    // Block 0 is replaced before the tree is made: each block proves itself, the code word is none.
    auto const honest = edge_builder::blocks(7);
    std::vector<SharedBytes> payloads;
    std::vector<Digest> leaves;
    for (auto const& block : honest) {
        auto payload = *block.payload;
        if (block.stripe == StripeIndex{0}) payload[0] ^= 1;
        leaves.push_back(leaf_digest(block.stripe, payload));
        payloads.push_back(std::make_shared<Bytes const>(payload));
    }
    HashTree const tree{leaves};
    auto const seal = seal_group(honest[0].header, tree.root(), edge_vectors::key());
    GroupAssembler assembler{seal};
    for (StripeIndex stripe{1}; stripe.value < 9; ++stripe) {
        auto block = honest[stripe.value];
        block.branch = tree.branch(stripe);
        block.signature = seal.signature;
        REQUIRE(block.claimed_seal() == seal);
        assembler.add(block, start);
    }
    CHECK_FALSE(assembler.rebuild(ParityCode{8, 1}, start));
    CHECK_FALSE(assembler.can_rebuild());
    CHECK_FALSE(assembler.block({0}, start));
    CHECK(assembler.take_bytes().size() == 7);
}

TEST_CASE("A held block ages") {
    Fixture f;
    f.blocks[1].age = 30ms;
    f.assembler.add(f.blocks[1], start + 1s);
    CHECK(f.assembler.block({1}, start + 1s)->age == 30ms);
    CHECK(f.assembler.block({1}, start + 3s)->age == 2030ms);
    CHECK(f.assembler.block({1}, start + 1s)->path == f.blocks[1].path);
    CHECK_FALSE(f.assembler.block({2}, start));
    CHECK_FALSE(f.assembler.block({9}, start));
}

TEST_CASE("A rebuilt block is as old as the oldest it was made of") {
    Fixture f;
    f.blocks[5].age = 700ms;
    f.add_all_but({0});
    REQUIRE(f.assembler.rebuild(f.code, start + 1s));
    CHECK(f.assembler.block({0}, start + 2s)->age == 2700ms);
}
