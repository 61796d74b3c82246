#include "edge/hash_tree.hpp"

#include <cassert>

namespace minuteswarm {
namespace {

// A leaf is never taken for an inner digest, nor the other way round.
constexpr std::uint8_t leaf_domain = 0;
constexpr std::uint8_t node_domain = 1;

Digest join(Digest const& left, Digest const& right) {
    return digest({{&node_domain, 1}, left.view(), right.view()});
}

/// A place in one row of the tree.
struct Place {
    std::size_t index = 0;
    std::size_t count = 0; // of that row

    [[nodiscard]] bool is_root() const { return count <= 1; }
    [[nodiscard]] bool has_sibling() const { return (index ^ 1) < count; }
    [[nodiscard]] bool is_right() const { return (index & 1) != 0; }
    void rise() {
        index /= 2;
        count = (count + 1) / 2;
    }
};

} // namespace

Digest leaf_digest(StripeIndex stripe, ByteView payload) {
    return digest({{&leaf_domain, 1}, {&stripe.value, 1}, payload});
}

HashTree::HashTree(std::vector<Digest> leaves) {
    assert(!leaves.empty());
    rows_.push_back(std::move(leaves));
    while (rows_.back().size() > 1) {
        auto const& row = rows_.back();
        std::vector<Digest> above;
        for (std::size_t i = 0; i + 1 < row.size(); i += 2)
            above.push_back(join(row[i], row[i + 1]));
        if (row.size() % 2 != 0) above.push_back(row.back());
        rows_.push_back(std::move(above));
    }
}

std::vector<Digest> HashTree::branch(StripeIndex stripe) const {
    assert(stripe.value < rows_.front().size());
    std::vector<Digest> siblings;
    auto row = rows_.begin();
    for (Place at{stripe.value, rows_.front().size()}; !at.is_root(); at.rise(), ++row) {
        if (at.has_sibling()) siblings.push_back((*row)[at.index ^ 1]);
    }
    return siblings;
}

std::size_t branch_length(StripeIndex stripe, std::size_t count) {
    std::size_t length = 0;
    for (Place at{stripe.value, count}; !at.is_root(); at.rise())
        length += at.has_sibling() ? 1U : 0U;
    return length;
}

std::optional<Digest>
root_above(Digest leaf, StripeIndex stripe, std::size_t count, std::span<Digest const> branch) {
    if (stripe.value >= count || branch.size() != branch_length(stripe, count)) return std::nullopt;
    auto sibling = branch.begin();
    for (Place at{stripe.value, count}; !at.is_root(); at.rise()) {
        if (!at.has_sibling()) continue;
        leaf = at.is_right() ? join(*sibling, leaf) : join(leaf, *sibling);
        ++sibling;
    }
    return leaf;
}

} // namespace minuteswarm
