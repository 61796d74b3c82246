#pragma once

#include "base/digest.hpp"
#include "base/signature.hpp"
#include "edge/group.hpp"

#include <optional>

namespace minuteswarm {

/// The channel's signature on a group. It covers the header and the root of the hash tree over all
/// K+M payloads, so that one signature, made and checked once a group, vouches for each block
/// alone, and whoever has rebuilt a group can pass on blocks it never received.
///
/// Signed, integers big-endian: `minuteswarm:group:1:` ‖ channel ‖ event u64 ‖ rendition u32 ‖
/// run (8) ‖ group u64 ‖ chunk u64 ‖ offset u64 ‖ length u32 ‖ K u8 ‖ M u8 ‖ flags u8 ‖
/// media_time u64 µs ‖ wall_time u64 µs ‖ root (12).
struct GroupSeal {
    GroupHeader header;
    Digest root;
    Signature signature;

    bool operator==(GroupSeal const&) const = default;
};

GroupSeal seal_group(GroupHeader const& header, Digest const& root, ChannelKey const& key);

/// Whether the channel signed it. Takes some 0.05 ms.
bool is_genuine(GroupSeal const& seal, ChannelId const& channel);

/// A seal that a channel did sign.
class GenuineSeal {
public:
    /// None if `channel` has not signed it.
    static std::optional<GenuineSeal> check(GroupSeal const& seal, ChannelId const& channel);

    bool operator==(GroupSeal const& seal) const { return seal_ == seal; }

private:
    explicit GenuineSeal(GroupSeal const& seal)
        : seal_(seal) {}

    GroupSeal seal_;
};

} // namespace minuteswarm
