#include "edge/block.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "edge/compact_integer.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <span>

namespace minuteswarm {
namespace {

constexpr unsigned rooted = 0x80; // in the number of hops
constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::chrono::milliseconds most_age{std::numeric_limits<std::uint16_t>::max()};

void append_header(Bytes& to, GroupHeader const& header, StripeIndex stripe) {
    append_compact(to, header.group.value);
    append_compact(to, header.chunk.value);
    append_compact(to, header.offset.value);
    append_compact(to, header.length);
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
    header.group = {compact.take()};
    header.chunk = {compact.take()};
    header.offset = {compact.take()};
    header.length = static_cast<std::uint32_t>(compact.take(most_u32));
    auto const numbers = reader.take_bytes(2);
    if (!numbers) return Error{"block: cut short"};
    block.stripe = {(*numbers)[0]};
    header.flags = (*numbers)[1];
    header.media_time = MediaTime{static_cast<std::int64_t>(compact.take())};
    header.wall_time =
        WallTime{std::chrono::microseconds{static_cast<std::int64_t>(compact.take())}};
    if (compact.has_failed()) return Error{"block: malformed integer"};
    if (auto fault = fault_of(header)) return fault;
    if (block.stripe.value >= header.all_stripes()) return Error{"block: no such stripe"};
    return std::nullopt;
}

std::optional<Error> take_path(BigEndianReader& reader, NodeId source, std::vector<NodeId>& path) {
    auto const hops = reader.take<std::uint8_t>();
    if (!hops) return Error{"block: cut short"};
    if ((*hops & rooted) != 0) path.push_back(source);
    auto const length = path.size() + (*hops & ~rooted);
    if (length == 0 || length > limits::edge_path) return Error{"block: path length"};
    while (path.size() < length) {
        auto const id = reader.take<std::uint32_t>();
        if (!id) return Error{"block: cut short"};
        NodeId const node{*id};
        if (path.empty() && node == source) return Error{"block: a path in two ways"};
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

BlockScope scope_of(GroupHeader const& header) {
    return {header.event, header.rendition, header.run, header.stripes, header.parity};
}

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
    auto path = std::span{block.path};
    if (block.is_rooted()) path = path.subspan(1);
    auto const hops = static_cast<std::uint8_t>(path.size());
    append_be(bytes, static_cast<std::uint8_t>(block.is_rooted() ? hops | rooted : hops));
    for (auto const node : path)
        append_be(bytes, node.value);
    append_header(bytes, block.header, block.stripe);
    append(bytes, block.signature.view());
    for (auto const& sibling : block.branch)
        append(bytes, sibling.view());
    append(bytes, *block.payload);
    return bytes;
}

Expected<Block> decode_block(ByteView body, BlockScope const& scope) {
    Block block;
    auto& header = block.header;
    header.event = scope.event;
    header.rendition = scope.rendition;
    header.run = scope.run;
    header.stripes = scope.stripes;
    header.parity = scope.parity;
    BigEndianReader reader{body};
    auto const age = reader.take<std::uint16_t>();
    if (!age) return Error{"block: cut short"};
    block.age = std::chrono::milliseconds{*age};
    if (auto error = take_path(reader, source_node(scope.run), block.path)) return *error;
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
