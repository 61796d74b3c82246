#include "base/limits.hpp"
#include "unit/edge/edge_builder.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

/// The fourth of four data blocks, with two bytes of padding.
Block padded_block() {
    return *decode_block(edge_vectors::bytes_of(edge_vectors::padded_block), edge_vectors::scope());
}

auto on_the_wire(Block const& block) {
    return decode_block(encode(block), scope_of(block.header));
}

bool decodes(Block const& block) {
    return on_the_wire(block).has_value();
}

bool decodes(std::function<void(Block&)> const& change) {
    auto block = padded_block();
    change(block);
    return decodes(block);
}

bool decodes_header(std::function<void(GroupHeader&)> const& change) {
    return decodes([&](Block& block) { change(block.header); });
}

bool is_genuine_with(std::function<void(Block&)> const& change) {
    auto block = padded_block();
    change(block);
    return is_genuine(block.claimed_seal(), edge_vectors::key().channel());
}

/// One block of a group of `length` bytes that nobody signed.
Block unsigned_block(std::uint32_t length, std::uint8_t stripes) {
    auto block = padded_block();
    block.header.length = length;
    block.header.stripes = stripes;
    block.header.parity = 0;
    block.stripe = {0};
    block.branch.resize(branch_length({0}, stripes));
    block.payload = std::make_shared<Bytes>(block.header.payload_size());
    return block;
}

} // namespace

TEST_CASE("Every block of a group is genuine alone and survives the wire") {
    for (auto const& block : edge_builder::blocks(7)) {
        auto const again = on_the_wire(block);
        REQUIRE(again);
        CHECK(edge_builder::is_same(*again, block));
        CHECK(again->path == block.path);
        CHECK(is_genuine(again->claimed_seal(), edge_vectors::key().channel()));
    }
}

TEST_CASE("No part of a block but path and age can be changed") {
    REQUIRE(is_genuine_with([](Block&) {}));
    CHECK(is_genuine_with([](Block& b) { b.path.push_back({5}); }));
    CHECK(is_genuine_with([](Block& b) { b.age = 5s; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.event.value ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.rendition.value ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.run.bytes[0] ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.group.value ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.chunk.value ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.offset.value ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.length ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.stripes ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.parity ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.flags ^= 8; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.media_time += 1us; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.header.wall_time += 1us; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.stripe = {2}; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.branch[0].bytes[0] ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) { b.signature.bytes[0] ^= 1; }));
    CHECK_FALSE(is_genuine_with([](Block& b) {
        auto payload = *b.payload;
        payload[0] ^= 1;
        b.payload = std::make_shared<Bytes>(payload);
    }));
}

TEST_CASE("A block's key tells it from every other one, not how it came") {
    auto const block = padded_block();
    auto other = *forwarded(block, {9}, 40ms);
    CHECK(other.key() == block.key());
    other.stripe = {2};
    CHECK(other.key() != block.key());
    other = block;
    other.header.run = edge_builder::run(7);
    CHECK(other.key() != block.key());
    other = block;
    ++other.header.group;
    CHECK(other.key() > block.key());
}

TEST_CASE("A block outside its limits is refused") {
    REQUIRE(decodes(padded_block()));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.event = {0}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.event = {(1ULL << 62) + 1}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.group = {(1ULL << 62) + 1}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.chunk = {0}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.chunk = {(1ULL << 62) + 1}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.offset = {limits::chunk_size - 101}; }));
    CHECK(decodes_header([](GroupHeader& h) { h.offset = {limits::chunk_size - 102}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.offset = {1ULL << 62}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.media_time = MediaTime{(1LL << 62) + 1}; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.stripes = 0; }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.parity = 29; }));
    CHECK_FALSE(decodes([](Block& b) { b.stripe = {6}; }));
    CHECK_FALSE(decodes([](Block& b) { b.stripe = {255}; }));
}

TEST_CASE("The longest group has payloads that fit a message") {
    CHECK(decodes(unsigned_block(512 * limits::KiB, 8)));
    CHECK_FALSE(decodes(unsigned_block(512 * limits::KiB + 1, 8)));
    CHECK_FALSE(decodes(unsigned_block(512 * limits::KiB + 1, 32)));
    CHECK(decodes(unsigned_block(64 * limits::KiB, 1)));
    CHECK_FALSE(decodes(unsigned_block(64 * limits::KiB + 1, 1)));
    auto longest = unsigned_block(512 * limits::KiB, 8);
    for (std::uint32_t node = 1; longest.path.size() < limits::edge_path; ++node)
        longest.path.push_back({node});
    CHECK(encode(longest).size() < limits::message_size);
}

TEST_CASE("A block whose payload has another size or dirty padding is refused") {
    CHECK_FALSE(decodes([](Block& b) {
        auto payload = *b.payload;
        payload.push_back(0);
        b.payload = std::make_shared<Bytes>(payload);
    }));
    CHECK_FALSE(decodes([](Block& b) {
        auto payload = *b.payload;
        payload.back() = 1;
        b.payload = std::make_shared<Bytes>(payload);
    }));
    CHECK_FALSE(decodes_header([](GroupHeader& h) { h.length = 105; }));
    // Three bytes in eight stripes: the last five are padding alone.
    auto tiny = unsigned_block(3, 8);
    tiny.stripe = {7};
    tiny.branch.resize(branch_length({7}, 8));
    CHECK(decodes(tiny));
    tiny.payload = std::make_shared<Bytes>(1, std::uint8_t{1});
    CHECK_FALSE(decodes(tiny));
}

TEST_CASE("A block cut short anywhere is refused") {
    auto const whole = encode(padded_block());
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(decode_block(ByteView{whole}.first(size), edge_vectors::scope()));
    auto longer = whole;
    longer.push_back(0);
    CHECK_FALSE(decode_block(longer, edge_vectors::scope()));
}

TEST_CASE("A path that is empty, too long or a loop is refused") {
    auto const scope = edge_vectors::scope();
    auto bytes = encode(padded_block());
    bytes[2] = 0;
    CHECK_FALSE(decode_block(bytes, scope));
    CHECK_FALSE(decodes([](Block& b) { b.path = {{1}, {2}, {1}}; }));
    CHECK_FALSE(decodes([](Block& b) { b.path.push_back(b.path.front()); }));
    auto block = padded_block();
    while (block.path.size() < limits::edge_path)
        block.path.push_back({static_cast<std::uint32_t>(block.path.size())});
    REQUIRE(decodes(block));
    CHECK_FALSE(forwarded(block, {77}, 0ms));
    bytes = encode(block);
    bytes[2] += 1;
    bytes.insert(bytes.begin() + 3, {0, 0, 1, 0});
    CHECK_FALSE(decode_block(bytes, scope));
}

TEST_CASE("A path that begins at the source has one encoding") {
    auto const block = padded_block();
    REQUIRE(block.is_rooted());
    auto bytes = encode(block);
    bytes[2] = 1;
    bytes.insert(bytes.begin() + 3, {1, 2, 3, 4});
    CHECK_FALSE(decode_block(bytes, edge_vectors::scope()));
}

TEST_CASE("A forwarded block carries the way it went and how old it is") {
    auto const block = forwarded(padded_block(), {9}, 40ms);
    REQUIRE(block);
    CHECK(block->is_rooted());
    CHECK(block->went_through({9}));
    CHECK_FALSE(block->went_through({8}));
    auto const again = on_the_wire(*forwarded(*block, {8}, 60ms));
    REQUIRE(again);
    CHECK(again->age == 100ms);
    CHECK(again->path.size() == 3);
    auto rebuilt = *block;
    rebuilt.path.clear();
    CHECK_FALSE(forwarded(rebuilt, {9}, 0ms)->is_rooted());
}

TEST_CASE("An age beyond what the wire holds stays at the most") {
    auto const old = on_the_wire(*forwarded(padded_block(), {9}, 10h));
    REQUIRE(old);
    CHECK(old->age == 65'535ms);
}

TEST_CASE("What stands before a payload stays small") {
    auto const overhead = [](edge_builder::Shape shape, std::uint64_t number) {
        auto const block = edge_builder::blocks(number, shape).front();
        return encode(block).size() - block.payload->size();
    };
    CHECK(overhead({31'250, 8, 1}, 345'600) <= 145);
    CHECK(overhead({2'500, 2, 0}, 172'800) <= 110);
}
