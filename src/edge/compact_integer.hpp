#pragma once

#include "base/big_endian.hpp"

#include <cstdint>
#include <optional>

namespace minuteswarm {

/// What a compact integer can hold: 63 bits, in nine bytes.
inline constexpr std::uint64_t most_compact = (std::uint64_t{1} << 63) - 1;

/// Seven bits a byte, the highest first; the top bit says that another byte follows. The shortest
/// form only. `value` is at most most_compact.
void append_compact(Bytes& to, std::uint64_t value);

/// None when the bytes have run out, or the form is not the shortest, or the value is above `most`.
std::optional<std::uint64_t> take_compact(BigEndianReader& from, std::uint64_t most);

} // namespace minuteswarm
