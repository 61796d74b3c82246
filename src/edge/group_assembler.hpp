#pragma once

#include "edge/block.hpp"
#include "edge/parity_code.hpp"

#include <vector>

namespace minuteswarm {

/// Genuine bytes of a chunk that came over the live edge.
struct EdgeBytes {
    ChunkNumber chunk;
    ByteOffset offset;
    SharedBytes payload;
    std::size_t size = 0; ///< how many of the payload's bytes they are, from its start

    [[nodiscard]] ByteView view() const { return ByteView{*payload}.first(size); }
};

/// The blocks of one group as they come, in any order; only genuine ones. Each data block's bytes
/// can be taken at once; K blocks of K+M give all the others, with their proofs, so that they can
/// be passed on as if they had been received. Pure.
class GroupAssembler {
public:
    explicit GroupAssembler(GroupSeal const& seal);

    [[nodiscard]] GroupSeal const& seal() const { return seal_; }
    [[nodiscard]] GroupHeader const& header() const { return seal_.header; }
    [[nodiscard]] StripeMask held() const { return held_; }
    /// Whether all data blocks are here.
    [[nodiscard]] bool has_all_data() const;
    /// Whether the blocks that are not here can be rebuilt.
    [[nodiscard]] bool can_rebuild() const;
    /// Bytes that are here without a hole, from the group's start.
    [[nodiscard]] std::size_t prefix() const;
    /// Bytes of memory that its payloads take.
    [[nodiscard]] std::size_t memory() const;

    /// False when that stripe was here already. The block's seal is this group's.
    bool add(Block block, MonotonicTime now);

    /// Makes the missing blocks if it can, and says which. An error is the source's fault: what it
    /// signed is no code word; the received blocks stay genuine, and none is ever rebuilt.
    Expected<StripeMask> rebuild(ParityCode const& code, MonotonicTime now);

    /// The block as it was received, its age with the time it has been here. A rebuilt one has an
    /// empty path.
    [[nodiscard]] std::optional<Block> block(StripeIndex stripe, MonotonicTime now) const;

    /// Bytes of the data blocks that are here and were not taken before, in order.
    std::vector<EdgeBytes> take_bytes();

private:
    struct Held {
        SharedBytes payload;
        std::vector<Digest> branch;
        std::vector<NodeId> path;
        std::chrono::milliseconds age{};
        MonotonicTime since{};
    };

    GroupSeal seal_;
    std::vector<Held> stripes_; // K+M of them
    StripeMask held_ = 0;
    StripeMask taken_ = 0;
    bool is_faulty_ = false;
};

} // namespace minuteswarm
