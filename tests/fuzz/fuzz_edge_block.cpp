#include "edge/back_buffer.hpp"
#include "fuzz/fuzz.hpp"
#include "unit/edge/vectors.hpp"

#include <algorithm>

using namespace minuteswarm;

namespace {

/// Only the very group that the channel signed may pass.
void check_gate(Block const& block) {
    auto const known = edge_vectors::group();
    BackBuffer buffer{{known.header.event, known.header.rendition}};
    auto const seal = GenuineSeal::check(block.claimed_seal(), edge_vectors::key().channel());
    auto const added = buffer.add(block, {}, seal);
    if (added.outcome != BackBuffer::Outcome::added) {
        require(buffer.groups() == 0 && added.bytes.empty());
        return;
    }
    require(block.header == known.header);
    for (auto const& bytes : added.bytes) {
        auto const at = bytes.offset.value - known.header.offset.value;
        require(std::ranges::equal(bytes.view(), ByteView{known.bytes}.subspan(at, bytes.size)));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const block = decode_block({data, size}, edge_vectors::scope());
    if (!block) return 0;
    require(std::ranges::equal(encode(*block), ByteView{data, size}));
    check_gate(*block);
    return 0;
}
