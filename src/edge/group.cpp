#include "edge/group.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

// As in statements: far beyond any real value, and sums of a few of them still fit.
constexpr std::uint64_t most_integer = std::uint64_t{1} << 62;

bool is_within(std::int64_t value) {
    return value >= 0 && value <= static_cast<std::int64_t>(most_integer);
}

} // namespace

std::size_t GroupHeader::content_size(StripeIndex stripe) const {
    auto const size = payload_size();
    auto const begin = stripe.value * size;
    if (stripe.value >= stripes || begin >= length) return 0;
    return std::min(size, length - begin);
}

std::size_t group_limit(std::uint8_t stripes) {
    return std::min(limits::edge_group, stripes * limits::edge_payload);
}

std::optional<Error> fault_of(GroupHeader const& header) {
    if (header.event.value == 0 || header.event.value > most_integer) return Error{"group: event"};
    if (header.group.value > most_integer) return Error{"group: number"};
    if (header.chunk.value == 0 || header.chunk.value > most_integer) return Error{"group: chunk"};
    if (header.stripes == 0 || header.all_stripes() > limits::edge_stripes) {
        return Error{"group: stripes"};
    }
    if (header.length == 0 || header.length > group_limit(header.stripes)) {
        return Error{"group: length"};
    }
    if (header.offset.value > limits::chunk_size - header.length) return Error{"group: offset"};
    if (!is_within(header.media_time.count())) return Error{"group: media time"};
    if (!is_within(header.wall_time.time_since_epoch().count())) return Error{"group: wall time"};
    return std::nullopt;
}

} // namespace minuteswarm
