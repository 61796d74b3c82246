#pragma once

#include <cstddef>
#include <cstdint>

namespace minuteswarm {

// What readers of an MPEG transport stream share (ISO/IEC 13818-1).
inline constexpr std::size_t ts_packet_size = 188;
inline constexpr std::uint8_t ts_sync_byte = 0x47;
inline constexpr std::uint16_t ts_null_pid = 0x1fff;
inline constexpr std::uint64_t ts_clock_mask = (std::uint64_t{1} << 33) - 1; ///< of 90 kHz

/// PTS or DTS: 33 bits in five bytes between marker bits (2.4.3.7).
inline std::uint64_t read_ts_timestamp(std::uint8_t const* at) {
    return std::uint64_t{at[0] & 0x0eU} << 29 | std::uint64_t{at[1]} << 22 |
           std::uint64_t{at[2] & 0xfeU} << 14 | std::uint64_t{at[3]} << 7 |
           std::uint64_t{at[4]} >> 1;
}

} // namespace minuteswarm
