#pragma once

#include "base/signature.hpp"
#include "edge/group.hpp"
#include "edge/stripe_list.hpp"

#include <string_view>

/// The live edge's formats as values and the bytes they stand for, made by an independent
/// implementation (Python: hashlib's BLAKE2b, cryptography's Ed25519, Reed-Solomon by hand). A
/// change here is a change of the wire format.
namespace minuteswarm::edge_vectors {

// The group has K 4 and M 2. Block 3 came from the source; block 5 has gone one hop further and is
// 300 ms old.
inline constexpr std::string_view root = "244b911d8babcaf267bde554948c0a9b";
inline constexpr std::string_view padded_block =
    "00000101020304b1bcff95d07b000102030405060708958c002a819c206604020301cea983108382c4c28fa9c7"
    "50dd9d58dedfd4fbf2dd0f9d6690c782719a1cec58c5b1dd31fee5032ef30dc0ace58afa6178a6edc0ff16e97b"
    "722fbe173dc7d0e5ef36050ba426343255fd6d066511d1627b579e46f994f6904c2703bdd37c94b144bea36316"
    "2ac16378db6bfee4eb19fd640ff7438c210f45498303dc252c333a41484f565d646b727980878e959ca3aab1b8"
    "bfc60000";
inline constexpr std::string_view parity_block =
    "012c02010203040a0b0c0db1bcff95d07b000102030405060708958c002a819c206604020501cea983108382c4"
    "c28fa9c750dd9d58dedfd4fbf2dd0f9d6690c782719a1cec58c5b1dd31fee5032ef30dc0ace58afa6178a6edc0"
    "ff16e97b722fbe173dc7d0e5ef36050ba426343255fd6d063aa1c8c5a643fa4be4763af38f7c69778e256ca31c"
    "2972b1ff9db882e5bca63e2e60bac877deac71c5b95d0d4554be8f6ee65507b0601a50b4a6";
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

inline StripeList list() {
    return {
        {0},
        RunId{{1, 2, 3, 4, 5, 6, 7, 8}},
        {{{345'600}, 0b100001}, {{345'601}, 0b000001}, {{345'901}, 0x1ff}}};
}

} // namespace minuteswarm::edge_vectors
