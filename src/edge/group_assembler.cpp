#include "edge/group_assembler.hpp"

#include <utility>

namespace minuteswarm {
namespace {

std::chrono::milliseconds since(MonotonicTime then, MonotonicTime now) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
}

} // namespace

GroupAssembler::GroupAssembler(GroupSeal const& seal)
    : seal_(seal)
    , stripes_(seal_.header.all_stripes()) {}

bool GroupAssembler::has_all_data() const {
    auto const data = first_stripes(header().stripes);
    return (held_ & data) == data;
}

bool GroupAssembler::can_rebuild() const {
    return !is_faulty_ && count(held_) >= header().stripes;
}

std::size_t GroupAssembler::prefix() const {
    std::size_t bytes = 0;
    for (StripeIndex stripe; stripe.value < header().stripes; ++stripe) {
        if (!has(held_, stripe)) break;
        bytes += header().content_size(stripe);
    }
    return bytes;
}

std::size_t GroupAssembler::memory() const {
    return count(held_) * header().payload_size();
}

bool GroupAssembler::add(Block block, MonotonicTime now) {
    auto const bit = mask_of(block.stripe);
    if (held_ & bit) return false;
    stripes_[block.stripe.value] = {
        std::move(block.payload), std::move(block.branch), std::move(block.path), block.age, now};
    held_ |= bit;
    return true;
}

Expected<StripeMask> GroupAssembler::rebuild(ParityCode const& code, MonotonicTime now) {
    auto const missing = first_stripes(stripes_.size()) & ~held_;
    if (missing == 0 || !can_rebuild()) return StripeMask{0};
    std::vector<SharedBytes> payloads;
    for (auto const& stripe : stripes_)
        payloads.push_back(stripe.payload);
    auto const all = code.rebuild(payloads);
    if (!all) return StripeMask{0};

    std::vector<Digest> leaves;
    std::chrono::milliseconds age{0};
    for (StripeIndex stripe; stripe.value < stripes_.size(); ++stripe) {
        leaves.push_back(leaf_digest(stripe, *(*all)[stripe.value]));
        auto const& held = stripes_[stripe.value];
        if (held.payload) age = std::max(age, held.age + since(held.since, now));
    }
    HashTree const tree{std::move(leaves)};
    if (tree.root() != seal_.root) {
        is_faulty_ = true;
        return Error{"group: its blocks do not belong together"};
    }
    for (StripeIndex stripe; stripe.value < stripes_.size(); ++stripe) {
        if (!has(missing, stripe)) continue;
        stripes_[stripe.value] = {(*all)[stripe.value], tree.branch(stripe), {}, age, now};
    }
    held_ |= missing;
    return missing;
}

std::optional<Block> GroupAssembler::block(StripeIndex stripe, MonotonicTime now) const {
    if (stripe.value >= stripes_.size() || !has(held_, stripe)) return std::nullopt;
    auto const& held = stripes_[stripe.value];
    return Block{
        seal_.header,
        seal_.signature,
        stripe,
        held.branch,
        held.payload,
        held.path,
        held.age + since(held.since, now)};
}

std::vector<EdgeBytes> GroupAssembler::take_bytes() {
    std::vector<EdgeBytes> bytes;
    for (StripeIndex stripe; stripe.value < header().stripes; ++stripe) {
        auto const bit = mask_of(stripe);
        if ((held_ & ~taken_ & bit) == 0) continue;
        taken_ |= bit;
        auto const size = header().content_size(stripe);
        auto const at = header().offset + stripe.value * header().payload_size();
        if (size > 0) bytes.push_back({header().chunk, at, stripes_[stripe.value].payload, size});
    }
    return bytes;
}

} // namespace minuteswarm
