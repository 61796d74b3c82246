#include "edge/stripe_list.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "edge/compact_integer.hpp"

#include <cassert>
#include <limits>

namespace minuteswarm {
namespace {

constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t most_group = std::uint64_t{1} << 62;

} // namespace

Bytes encode(StripeList const& list) {
    assert(!list.groups.empty() && list.groups.size() <= limits::wanted_groups);
    Bytes bytes;
    append_compact(bytes, list.rendition.value);
    append(bytes, list.run.view());
    append_be(bytes, static_cast<std::uint8_t>(list.groups.size()));
    std::uint64_t before = 0;
    for (auto const& [group, stripes] : list.groups) {
        append_compact(bytes, group.value - before);
        append_compact(bytes, stripes);
        before = group.value;
    }
    return bytes;
}

Expected<StripeList> decode_stripe_list(ByteView body) {
    BigEndianReader reader{body};
    StripeList list;
    auto const rendition = take_compact(reader, most_u32);
    auto const run = reader.take_bytes(RunId::size);
    auto const count = reader.take<std::uint8_t>();
    if (!rendition || !count) return Error{"stripes: cut short"};
    if (*count == 0 || *count > limits::wanted_groups) return Error{"stripes: number of groups"};
    list.rendition = {static_cast<std::uint32_t>(*rendition)};
    list.run = *RunId::from(*run);
    std::uint64_t group = 0;
    for (std::size_t i = 0; i < *count; ++i) {
        auto const step = take_compact(reader, most_group - group);
        auto const stripes = take_compact(reader, most_u32);
        if (!step || !stripes) return Error{"stripes: malformed integer"};
        if (*stripes == 0 || (i > 0 && *step == 0)) return Error{"stripes: not in order"};
        group += *step;
        list.groups.push_back({{group}, static_cast<StripeMask>(*stripes)});
    }
    if (!reader.is_empty()) return Error{"stripes: bytes after the last"};
    return list;
}

} // namespace minuteswarm
