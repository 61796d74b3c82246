#pragma once

#include "base/signature.hpp"
#include "edge/block.hpp"
#include "edge/stripe_list.hpp"

#include <string_view>

/// The live edge's formats as values and the bytes they stand for, made by an independent
/// implementation (Python: hashlib's BLAKE2b, cryptography's Ed25519, Reed-Solomon by hand). A
/// change here is a change of the wire format.
namespace minuteswarm::edge_vectors {

// The group has K 4 and M 2. Block 3 came from the source; block 5 has gone one hop further and is
// 300 ms old.
inline constexpr std::string_view root = "35927c1904d0628cdee55eef";
inline constexpr std::string_view padded_block =
    "000080958c002a819c20660301cea983108382c4c28fa9c7504d1ffef1519bb57f5f5184a4d7f163e3a414e28b"
    "cb7f3d1c885a6f37a5a5d318ef2165887b4e62a315b5fa2d65c240ac4f958534ebedf9bcdecf37a7d68fb10f65"
    "11d1627b579e46f994f690dd1f91de19eabff22b9c708dccb9c8cba555121f67cc845e252c333a41484f565d64"
    "6b727980878e959ca3aab1b8bfc60000";
inline constexpr std::string_view parity_block =
    "012c810a0b0c0d958c002a819c20660501cea983108382c4c28fa9c7504d1ffef1519bb57f5f5184a4d7f163e3"
    "a414e28bcb7f3d1c885a6f37a5a5d318ef2165887b4e62a315b5fa2d65c240ac4f958534ebedf9bcdecf37a7d6"
    "8fb10f3aa1c8c5a643fa4be4763af3b4f5ace21bee08cfbf85f7682e60bac877deac71c5b95d0d4554be8f6ee6"
    "5507b0601a50b4a6";
inline constexpr std::string_view stripe_list = "00010203040506070803958c00210101822c837f";

/// Its seed is 00 01 … 1f.
inline ChannelKey key() {
    ChannelKey::Seed seed{};
    for (std::size_t i = 0; i < seed.size(); ++i)
        seed[i] = static_cast<std::uint8_t>(i);
    return ChannelKey::from_seed(seed);
}

inline Bytes bytes_of(std::string_view hex) {
    Bytes bytes(hex.size() / 2);
    if (!from_hex(hex, bytes)) bytes.clear();
    return bytes;
}

inline Group group() {
    Group group;
    auto& header = group.header;
    header.event = {1'700'000'000'123};
    header.run = RunId{{1, 2, 3, 4, 5, 6, 7, 8}};
    header.group = {345'600};
    header.chunk = {42};
    header.offset = {20'000};
    header.length = 102;
    header.stripes = 4;
    header.parity = 2;
    header.flags = GroupHeader::random_access_flag;
    header.media_time = std::chrono::milliseconds{164'250};
    header.wall_time = WallTime{std::chrono::microseconds{1'700'000'164'373'456}};
    for (unsigned i = 0; i < header.length; ++i)
        group.bytes.push_back(static_cast<std::uint8_t>(i * 7 + 3));
    return group;
}

inline BlockScope scope() {
    return scope_of(group().header);
}

inline StripeList list() {
    return {
        {0},
        RunId{{1, 2, 3, 4, 5, 6, 7, 8}},
        {{{345'600}, 0b100001}, {{345'601}, 0b000001}, {{345'901}, 0x1ff}}};
}

} // namespace minuteswarm::edge_vectors
