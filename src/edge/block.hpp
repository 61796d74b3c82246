#pragma once

#include "base/expected.hpp"
#include "edge/group_seal.hpp"
#include "edge/hash_tree.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace minuteswarm {

/// Which block, among all that a channel sends.
struct BlockKey {
    EventId event;
    RenditionId rendition;
    RunId run;
    GroupNumber group;
    StripeIndex stripe;

    auto operator<=>(BlockKey const&) const = default;
};

/// What all blocks of a run have in common, known to both ends, so that no block says it.
struct BlockScope {
    EventId event;
    RenditionId rendition;
    RunId run;
    std::uint8_t stripes = 0; ///< K
    std::uint8_t parity = 0;  ///< M
};

/// The scope of a group's blocks.
BlockScope scope_of(GroupHeader const& header);

/// One stripe of one group, as it travels: everything that is needed to check it alone. Nothing is
/// known to be genuine before BackBuffer has taken it.
///
/// What follows the source in the `block` message, integers big-endian, † compact (see
/// append_compact):
///
/// age u16 ms ‖ hops u8 ‖ that many node ids u32 ‖ group † ‖ chunk † ‖ offset † ‖ length † ‖
/// stripe u8 ‖ flags u8 ‖ media_time † ‖ wall_time † ‖ signature (64) ‖ branch (12 each) ‖ payload.
///
/// 0x80 is added to the hops of a path that begins at the source, whose id is left out.
///
/// What stands before the payload is about 150 bytes. A flat list of the other digests in place of
/// the branch would cost 48 more with 9 stripes, a signature for each block would save up to 48,
/// but no node could pass on a block it rebuilt.
struct Block {
    GroupHeader header;
    Signature signature; ///< of the group
    StripeIndex stripe;
    std::vector<Digest> branch;
    SharedBytes payload;             ///< exactly header.payload_size() bytes; padding is zero
    std::vector<NodeId> path;        ///< nodes it went through, the source first; a hint
    std::chrono::milliseconds age{}; ///< since it left the source, each hop having added; a hint

    [[nodiscard]] BlockKey key() const;
    /// What the signature would have to cover for this block to be genuine.
    [[nodiscard]] GroupSeal claimed_seal() const;
    /// Whether the path begins at the source: else it was rebuilt by a node that has no parent.
    [[nodiscard]] bool is_rooted() const;
    [[nodiscard]] bool went_through(NodeId node) const;
};

/// The block's path must be 1 to limits::edge_path long, its payload not null.
Bytes encode(Block const& block);

/// Refuses what is not canonical, out of its limits or contradicts itself.
Expected<Block> decode_block(ByteView body, BlockScope const& scope);

/// The block as `self` passes it on after `held`, its hold time and half the round trip to the one
/// that sent it; none when the path is full.
std::optional<Block> forwarded(Block block, NodeId self, std::chrono::milliseconds held);

} // namespace minuteswarm
