#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// Makes one continuous MPEG transport stream (ISO/IEC 13818-1) of parts that were cut apart by
/// gaps or restarts, for one client. Bytes pass unchanged until the first discontinuity; from then
/// on continuity counters go on per PID and clocks go on where they stopped. Any bytes are taken;
/// what is no packet passes as it is. Keeps less than one packet.
class TsJoiner {
public:
    static constexpr std::size_t packet_size = 188;

    TsJoiner();

    /// The next bytes, cut anywhere; returns those that are ready. `is_discontinuity`: they don't
    /// follow the bytes before, of which a packet cut short is dropped.
    Bytes join(ByteView bytes, bool is_discontinuity);
    /// What is left at the very end: less than a packet.
    Bytes finish();

private:
    using Packet = std::span<std::uint8_t, packet_size>;
    /// A 90 kHz clock of 33 bits: differences are taken modulo 2^33.
    using Ticks = std::uint64_t;

    struct Pid {
        std::uint8_t counter = 0; // as last sent
        std::uint8_t shift = 0;   // added since the last discontinuity
        bool is_seen = false;
        bool is_counted = true; // has had a packet since the last discontinuity
        bool is_marked = true;  // has had a discontinuity_indicator since
    };
    struct Fields;

    void begin_part();
    void pass(Packet packet);
    void restamp_counter(Packet packet, Pid& pid, Fields const& fields) const;
    void settle_offset(Packet packet, Fields const& fields);
    void note_clocks(Packet packet, Fields const& fields);

    Bytes carry_;
    std::vector<Pid> pids_;
    bool is_transparent_ = true;
    bool is_offset_settled_ = true;
    Ticks offset_ = 0;
    std::optional<Ticks> last_pcr_; // as sent
    std::optional<Ticks> last_dts_; // as sent, of any PID
};

} // namespace minuteswarm
