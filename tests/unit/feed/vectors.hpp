#pragma once

#include "base/signature.hpp"
#include "base/statements.hpp"
#include "feed/dht_item.hpp"
#include "feed/link.hpp"

#include <string_view>

/// Version 1 of every format as values and the bytes they stand for, made by an independent
/// implementation (Python, cryptography's Ed25519). A change here is a change of the wire format.
namespace minuteswarm::vectors {

// The key's seed is 00 01 … 1f; the chunk is 20,000 bytes, each its position modulo 251.
inline constexpr std::string_view channel =
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
inline constexpr std::string_view channel_swarm = "f5a62f4763d54f150c13dc0420322668a7b99d9d";
inline constexpr std::string_view chunk_name = "03a107bff3ce10be-1700000000123-0-42.mp3";
inline constexpr std::string_view chunk_info_hash = "958783eb670b1db9cf11d74094149c077bfe041d";
inline constexpr std::string_view pieces[] = {
    "68f3b81a11de1e1629e81555b4e70aed955d1140", "b6ef80913a7f691376b60d269e0af6fecb8a1395"};
inline constexpr std::string_view sha256 =
    "93a6015a3874a774dd59fdd5db19414b301525381eb5ddcc265cdcc68bb9d350";
inline constexpr std::string_view record_wire =
    "26bf40fbb3125c1a50081d1c5611b2ec5bfb2816f120e484091ec3cf7202746feafd8e50cae6e948f2a5ce159b"
    "1a7ff7eada723231166e12d11c53c805a5b00464383a6475726174696f6e693430303030303065353a65706f63"
    "68693265353a6576656e74693137303030303030303031323365353a666c616773693235396531303a6d656469"
    "615f74696d656931363430303030303065363a6e756d62657269343265363a70696563657334303a68f3b81a11"
    "de1e1629e81555b4e70aed955d1140b6ef80913a7f691376b60d269e0af6fecb8a1395393a72656e646974696f"
    "6e693065333a72756e383a0102030405060708363a73686132353633323a93a6015a3874a774dd59fdd5db1941"
    "4b301525381eb5ddcc265cdcc68bb9d350343a73697a6569323030303065393a77616c6c5f74696d6569313730"
    "303030303136343132333435366565";

inline constexpr std::string_view descriptor_wire =
    "d2f7bbcc9d34fba3166e2e37d5a44805a590b2cb56f9b469ab2a47c250dbb8420391e4dc063d7580526f2937b0"
    "2cf1577ce74298c970473e463fd623c9170b0e64373a62697472617465693235303030303065363a636f646563"
    "7332313a617663312e3634303031662c6d7034612e34302e32393a636f6e7461696e6572693065383a64757261"
    "74696f6e693430303030303065343a6564676564313a6b693865313a6d693165333a72756e383a010203040506"
    "0708343a7370616e693235306565353a6576656e74693137303030303030303031323365383a7265766973696f"
    "6e693365353a7374617274693137303030303030303031323330303065353a7469746c6531323a4bc3bc636865"
    "6e726164696f65";

inline constexpr std::string_view end_wire =
    "ed55a903e20a6a9f9b30bd6215a0549e6d749cb7a5396530f90e7e753bb145fad915817edf6da9493b54b5f2e1"
    "be795fa9438e7e6e74387d2517c16ea69a1d0264353a6576656e74693137303030303030303031323365343a6c"
    "61737469343265373a746f7272656e7432303a6465666768696a6b6c6d6e6f707172737475767765";

inline constexpr std::string_view dht_item_value =
    "64313a65693137303030303030303031323365333a656e64693165323a696832303a958783eb670b1db9cf11d7"
    "4094149c077bfe041d313a6e69343265313a74693137303030303031363465313a76693165313a7734303a9587"
    "83eb670b1db9cf11d74094149c077bfe041d000102030405060708090a0b0c0d0e0f1011121365";

inline constexpr std::string_view link_text =
    "magnet:?xs=urn:btpk:03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8&s="
    "6d696e757465737761726d"
    "&dn=K%C3%BCchenradio%20%26%20mehr&x.pe=192.0.2.7:6881&x.pe=%5B2001:db8::7%5D:6881"
    "&tr=udp://tracker.example:6969/announce&ws=https://cdn.example/kitchen/";

inline ChannelKey key() {
    ChannelKey::Seed seed{};
    for (std::size_t i = 0; i < seed.size(); ++i)
        seed[i] = static_cast<std::uint8_t>(i);
    return ChannelKey::from_seed(seed);
}

inline Bytes chunk() {
    Bytes bytes(20000);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(i % 251);
    return bytes;
}

inline Bytes bytes_of(std::string_view hex) {
    Bytes bytes(hex.size() / 2);
    if (!from_hex(hex, bytes)) bytes.clear();
    return bytes;
}

inline WallTime wall_time(std::int64_t us) {
    return WallTime{std::chrono::microseconds{us}};
}

inline Record record() {
    Record record;
    record.event = {1'700'000'000'123};
    record.run = RunId{{1, 2, 3, 4, 5, 6, 7, 8}};
    record.epoch = {2};
    record.number = {42};
    record.media_time = std::chrono::seconds{164};
    record.wall_time = wall_time(1'700'000'164'123'456);
    record.duration = std::chrono::seconds{4};
    record.size = 20000;
    std::vector<Sha1> hashes;
    for (auto const hex : pieces)
        hashes.push_back(*Sha1::parse_hex(hex));
    record.pieces = std::move(hashes);
    record.sha256 = *Sha256::parse_hex(sha256);
    record.container = Container::mp3;
    record.is_discontinuity = true;
    record.is_independent = false;
    return record;
}

inline Descriptor descriptor() {
    Descriptor descriptor;
    descriptor.event = {1'700'000'000'123};
    descriptor.revision = 3;
    descriptor.title = "Küchenradio";
    descriptor.container = Container::mpeg_ts;
    descriptor.codecs = "avc1.64001f,mp4a.40.2";
    descriptor.bitrate = 2'500'000;
    descriptor.chunk_duration = std::chrono::seconds{4};
    descriptor.start = wall_time(1'700'000'000'123'000);
    descriptor.edge = {250, 8, 1, RunId{{1, 2, 3, 4, 5, 6, 7, 8}}};
    return descriptor;
}

inline EndRecord end() {
    InfoHash torrent;
    for (std::size_t i = 0; i < torrent.bytes.size(); ++i) {
        torrent.bytes[i] = static_cast<std::uint8_t>(100 + i);
    }
    return {{1'700'000'000'123}, {42}, torrent};
}

inline DhtItem dht_item() {
    InfoHash older;
    for (std::size_t i = 0; i < older.bytes.size(); ++i) {
        older.bytes[i] = static_cast<std::uint8_t>(i);
    }
    auto const newest = *InfoHash::parse_hex(chunk_info_hash);
    return {
        newest, {1'700'000'000'123}, {42}, wall_time(1'700'000'164'000'000), {newest, older}, true};
}

inline Link link() {
    return {
        key().channel(),
        "Küchenradio & mehr",
        {"192.0.2.7:6881", "[2001:db8::7]:6881"},
        {"udp://tracker.example:6969/announce"},
        {"https://cdn.example/kitchen/"}};
}

} // namespace minuteswarm::vectors
