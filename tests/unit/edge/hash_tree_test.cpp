#include "edge/hash_tree.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace minuteswarm;

namespace {

std::vector<Digest> leaves(std::size_t count) {
    std::vector<Digest> leaves;
    for (StripeIndex stripe; stripe.value < count; ++stripe)
        leaves.push_back(leaf_digest(stripe, as_bytes("payload")));
    return leaves;
}

} // namespace

TEST_CASE("Every leaf and its branch lead to the root, in trees of all sizes") {
    for (std::size_t count = 1; count <= 32; ++count) {
        HashTree const tree{leaves(count)};
        for (StripeIndex stripe; stripe.value < count; ++stripe) {
            auto const leaf = leaf_digest(stripe, as_bytes("payload"));
            auto const branch = tree.branch(stripe);
            CHECK(branch.size() == branch_length(stripe, count));
            CHECK(root_above(leaf, stripe, count, branch) == tree.root());
        }
    }
}

TEST_CASE("No leaf proves itself at another place, with another payload or a changed branch") {
    HashTree const tree{leaves(9)};
    StripeIndex const third{3};
    auto const branch = tree.branch(third);
    auto const leaf = leaf_digest(third, as_bytes("payload"));
    CHECK(root_above(leaf, {2}, 9, branch) != tree.root());
    CHECK(root_above(leaf_digest({2}, as_bytes("payload")), third, 9, branch) != tree.root());
    CHECK(root_above(leaf_digest(third, as_bytes("payloae")), third, 9, branch) != tree.root());
    for (std::size_t i = 0; i < branch.size(); ++i) {
        auto changed = branch;
        changed[i].bytes.back() ^= 1;
        CHECK(root_above(leaf, third, 9, changed) != tree.root());
    }
}

TEST_CASE("A branch of another length is refused") {
    HashTree const tree{leaves(9)};
    auto branch = tree.branch({3});
    auto const leaf = leaf_digest({3}, as_bytes("payload"));
    branch.emplace_back();
    CHECK_FALSE(root_above(leaf, {3}, 9, branch));
    branch.resize(3);
    CHECK_FALSE(root_above(leaf, {3}, 9, branch));
    CHECK_FALSE(root_above(leaf, {9}, 9, {}));
}

TEST_CASE("The branch of the last of nine stripes is one digest, the others' are four") {
    CHECK(branch_length({8}, 9) == 1);
    for (StripeIndex stripe; stripe.value < 8; ++stripe)
        CHECK(branch_length(stripe, 9) == 4);
    CHECK(branch_length({0}, 1) == 0);
    CHECK(branch_length({31}, 32) == 5);
}

TEST_CASE("A leaf is not taken for an inner digest") {
    auto const pair = leaves(2);
    Bytes forged;
    append(forged, pair[0].view());
    append(forged, pair[1].view());
    CHECK(leaf_digest({0}, forged) != HashTree{pair}.root());
    CHECK(leaf_digest({1}, forged) != HashTree{pair}.root());
}
