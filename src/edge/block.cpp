#include "edge/block.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "edge/compact_integer.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace minuteswarm {
namespace {

constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::chrono::milliseconds most_age{std::numeric_limits<std::uint16_t>::max()};

void append_header(Bytes& to, GroupHeader const& header, StripeIndex stripe) {
    append_compact(to, header.event.value);
    append_compact(to, header.rendition.value);
    append(to, header.run.view());
    append_compact(to, header.group.value);
    append_compact(to, header.chunk.value);
    append_compact(to, header.offset.value);
    append_compact(to, header.length);
    append_be(to, header.stripes);
    append_be(to, header.parity);
    append_be(to, stripe.value);
    append_be(to, header.flags);
    append_compact(to, static_cast<std::uint64_t>(header.media_time.count()));
    append_compact(to, static_cast<std::uint64_t>(header.wall_time.time_since_epoch().count()));
}

/// Takes compact integers until one fails; then the rest are 0 and `has_failed`.
class CompactReader {
public:
    explicit CompactReader(BigEndianReader& from)
        : from_(from) {}

    std::uint64_t take(std::uint64_t most = most_compact) {
        auto const value = has_failed_ ? std::nullopt : take_compact(from_, most);
        has_failed_ = !value;
        return value.value_or(0);
    }
    [[nodiscard]] bool has_failed() const { return has_failed_; }

private:
    BigEndianReader& from_;
    bool has_failed_ = false;
};

std::optional<Error> take_header(BigEndianReader& reader, Block& block) {
    auto& header = block.header;
    CompactReader compact{reader};
    header.event = {compact.take()};
    header.rendition = {static_cast<std::uint32_t>(compact.take(most_u32))};
    auto const run = reader.take_bytes(RunId::size);
    if (!run) return Error{"block: cut short"};
    header.run = *RunId::from(*run);
    header.group = {compact.take()};
    header.chunk = {compact.take()};
    header.offset = {compact.take()};
    header.length = static_cast<std::uint32_t>(compact.take(most_u32));
    auto const numbers = reader.take_bytes(4);
    if (!numbers) return Error{"block: cut short"};
    header.stripes = (*numbers)[0];
    header.parity = (*numbers)[1];
    block.stripe = {(*numbers)[2]};
    header.flags = (*numbers)[3];
    header.media_time = MediaTime{static_cast<std::int64_t>(compact.take())};
    header.wall_time =
        WallTime{std::chrono::microseconds{static_cast<std::int64_t>(compact.take())}};
    if (compact.has_failed()) return Error{"block: malformed integer"};
    if (auto fault = fault_of(header)) return fault;
    if (block.stripe.value >= header.all_stripes()) return Error{"block: no such stripe"};
    return std::nullopt;
}

std::optional<Error> take_path(BigEndianReader& reader, std::vector<NodeId>& path) {
    auto const hops = reader.take<std::uint8_t>();
    if (!hops || *hops == 0 || *hops > limits::edge_path) return Error{"block: path length"};
    for (std::size_t i = 0; i < *hops; ++i) {
        auto const id = reader.take<std::uint32_t>();
        if (!id) return Error{"block: cut short"};
        NodeId const node{*id};
        if (std::ranges::find(path, node) != path.end()) return Error{"block: a loop in its path"};
        path.push_back(node);
    }
    return std::nullopt;
}

std::optional<Error> take_proof(BigEndianReader& reader, Block& block) {
    auto const signature = reader.take_bytes(Signature::size);
    if (!signature) return Error{"block: cut short"};
    block.signature = *Signature::from(*signature);
    auto const count = branch_length(block.stripe, block.header.all_stripes());
    for (std::size_t i = 0; i < count; ++i) {
        auto const sibling = reader.take_bytes(Digest::size);
        if (!sibling) return Error{"block: cut short"};
        block.branch.push_back(*Digest::from(*sibling));
    }
    return std::nullopt;
}

bool is_padded_with_zeros(Block const& block, ByteView payload) {
    if (block.stripe.value >= block.header.stripes) return true;
    auto const padding = payload.subspan(block.header.content_size(block.stripe));
    return std::ranges::all_of(padding, [](auto byte) { return byte == 0; });
}

} // namespace

BlockKey Block::key() const {
    return {header.event, header.rendition, header.run, header.group, stripe};
}

GroupSeal Block::claimed_seal() const {
    auto const leaf = leaf_digest(stripe, *payload);
    auto const root = root_above(leaf, stripe, header.all_stripes(), branch);
    return {header, root.value_or(Digest{}), signature};
}

bool Block::is_rooted() const {
    return !path.empty() && path.front() == source_node(header.run);
}

bool Block::went_through(NodeId node) const {
    return std::ranges::find(path, node) != path.end();
}

Bytes encode(Block const& block) {
    assert(!block.path.empty() && block.path.size() <= limits::edge_path);
    Bytes bytes;
    bytes.reserve(block.payload->size() + 300);
    auto const age = std::clamp(block.age, std::chrono::milliseconds{0}, most_age);
    append_be(bytes, static_cast<std::uint16_t>(age.count()));
    append_be(bytes, static_cast<std::uint8_t>(block.path.size()));
    for (auto const node : block.path)
        append_be(bytes, node.value);
    append_header(bytes, block.header, block.stripe);
    append(bytes, block.signature.view());
    for (auto const& sibling : block.branch)
        append(bytes, sibling.view());
    append(bytes, *block.payload);
    return bytes;
}

Expected<Block> decode_block(ByteView body) {
    Block block;
    BigEndianReader reader{body};
    auto const age = reader.take<std::uint16_t>();
    if (!age) return Error{"block: cut short"};
    block.age = std::chrono::milliseconds{*age};
    if (auto error = take_path(reader, block.path)) return *error;
    if (auto error = take_header(reader, block)) return *error;
    if (auto error = take_proof(reader, block)) return *error;
    auto const payload = reader.rest();
    if (payload.size() != block.header.payload_size()) return Error{"block: payload size"};
    if (!is_padded_with_zeros(block, payload)) return Error{"block: padding"};
    block.payload = std::make_shared<Bytes const>(payload.begin(), payload.end());
    return block;
}

std::optional<Block> forwarded(Block block, NodeId self, std::chrono::milliseconds held) {
    if (block.path.size() >= limits::edge_path) return std::nullopt;
    block.path.push_back(self);
    block.age = std::min(block.age + held, most_age);
    return block;
}

} // namespace minuteswarm
