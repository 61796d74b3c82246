#include "base/signature.hpp"

#include "base/error.hpp"

#include <sodium.h>

#include <cstring>

namespace minuteswarm {
namespace {

void start_sodium() {
    static bool const started = sodium_init() >= 0;
    if (!started) throw StartError{"the system's random number generator does not work"};
}

Bytes join(std::initializer_list<ByteView> parts) {
    Bytes all;
    for (auto const part : parts)
        append(all, part);
    return all;
}

} // namespace

ChannelKey ChannelKey::generate() {
    Seed seed;
    fill_random(seed);
    return from_seed(seed);
}

ChannelKey ChannelKey::from_seed(Seed const& seed) {
    start_sodium();
    ChannelKey key;
    crypto_sign_seed_keypair(key.channel_.bytes.data(), key.secret_.data(), seed.data());
    return key;
}

ChannelKey::Seed ChannelKey::seed() const {
    Seed seed;
    std::copy_n(secret_.begin(), seed.size(), seed.begin());
    return seed;
}

Signature ChannelKey::sign(std::initializer_list<ByteView> parts) const {
    auto const message = join(parts);
    Signature signature;
    crypto_sign_detached(
        signature.bytes.data(), nullptr, message.data(), message.size(), secret_.data()
    );
    return signature;
}

std::array<std::uint8_t, 64> ChannelKey::expanded() const {
    // RFC 8032 5.1.5: hash the seed, then clamp the first half.
    std::array<std::uint8_t, 64> hash{};
    crypto_hash_sha512(hash.data(), secret_.data(), 32);
    hash[0] &= 248;
    hash[31] &= 63;
    hash[31] |= 64;
    return hash;
}

bool verify(
    ChannelId const& channel, Signature const& signature, std::initializer_list<ByteView> parts
) {
    start_sodium();
    auto const message = join(parts);
    return crypto_sign_verify_detached(
               signature.bytes.data(), message.data(), message.size(), channel.bytes.data()
           ) == 0;
}

void fill_random(std::span<std::uint8_t> out) {
    start_sodium();
    randombytes_buf(out.data(), out.size());
}

std::uint64_t random_u64() {
    std::array<std::uint8_t, 8> bytes;
    fill_random(bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

} // namespace minuteswarm
