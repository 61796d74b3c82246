#pragma once

#include "base/ids.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace minuteswarm {

/// A channel's Ed25519 key (RFC 8032). Its public half is the channel's identity.
class ChannelKey {
public:
    using Seed = std::array<std::uint8_t, 32>;

    static ChannelKey generate();
    static ChannelKey from_seed(Seed const& seed);

    [[nodiscard]] ChannelId const& channel() const { return channel_; }
    [[nodiscard]] Seed seed() const;

    /// Signature over the concatenation of `parts`.
    [[nodiscard]] Signature sign(std::initializer_list<ByteView> parts) const;
    /// The same, in the expanded-key form BEP 44 wants: 64 bytes, scalar first.
    [[nodiscard]] std::array<std::uint8_t, 64> expanded() const;

private:
    ChannelKey() = default;

    ChannelId channel_;
    std::array<std::uint8_t, 64> secret_{}; // libsodium's layout: seed, then public key
};

/// Whether `channel` signed the concatenation of `parts`. False also for keys that are no curve
/// points.
bool verify(
    ChannelId const& channel, Signature const& signature, std::initializer_list<ByteView> parts
);

/// Bytes that nobody can predict.
void fill_random(std::span<std::uint8_t> out);
std::uint64_t random_u64();

template <class Id>
Id random_id() {
    Id id;
    fill_random(id.bytes);
    return id;
}

} // namespace minuteswarm
