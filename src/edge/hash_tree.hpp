#pragma once

#include "base/digest.hpp"
#include "edge/stripe.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// The digest of a block's payload at its place in the group: of 0 ‖ stripe u8 ‖ payload.
Digest leaf_digest(StripeIndex stripe, ByteView payload);

/// A Merkle tree over the blocks of one group. In each row neighbours are joined, to the digest of
/// 1 ‖ left ‖ right; an odd last one moves up as it is. The root stands for all blocks at once; a
/// block's branch, the other halves on its way up, proves that it is one of them.
class HashTree {
public:
    /// `leaves` are the leaf digests by stripe: at least one.
    explicit HashTree(std::vector<Digest> leaves);

    [[nodiscard]] Digest const& root() const { return rows_.back().front(); }
    [[nodiscard]] std::vector<Digest> branch(StripeIndex stripe) const;

private:
    std::vector<std::vector<Digest>> rows_; // leaves first
};

/// How many digests the branch of a stripe has, of `count` stripes in all.
std::size_t branch_length(StripeIndex stripe, std::size_t count);

/// The root that a leaf and its branch lead to; none if the branch is not of the length it must be.
std::optional<Digest>
root_above(Digest leaf, StripeIndex stripe, std::size_t count, std::span<Digest const> branch);

} // namespace minuteswarm
