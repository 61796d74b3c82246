#include "edge/compact_integer.hpp"

#include <cassert>

namespace minuteswarm {
namespace {

constexpr unsigned bits = 7;
constexpr std::uint8_t more = 0x80;

} // namespace

void append_compact(Bytes& to, std::uint64_t value) {
    assert(value <= most_compact);
    unsigned shift = 0;
    while (value >> shift > 0x7f)
        shift += bits;
    for (; shift > 0; shift -= bits) {
        to.push_back(static_cast<std::uint8_t>((value >> shift & 0x7f) | more));
    }
    to.push_back(static_cast<std::uint8_t>(value & 0x7f));
}

std::optional<std::uint64_t> take_compact(BigEndianReader& from, std::uint64_t most) {
    std::uint64_t value = 0;
    for (bool is_first = true;; is_first = false) {
        auto const byte = from.take<std::uint8_t>();
        if (!byte || (is_first && *byte == more) || value > most >> bits) return std::nullopt;
        value = value << bits | (*byte & 0x7fU);
        if (value > most) return std::nullopt;
        if ((*byte & more) == 0) return value;
    }
}

} // namespace minuteswarm
