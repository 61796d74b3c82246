#include "playout/ts_joiner.hpp"

#include "playout/ts_packet.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::size_t packet_size = TsJoiner::packet_size;
constexpr std::size_t header_size = 4;
constexpr std::size_t pid_count = 8192;
constexpr auto null_pid = ts_null_pid;
constexpr auto sync_byte = ts_sync_byte;
constexpr auto clock_mask = ts_clock_mask;

// Between the newest timestamp sent and the first of a new part: audio may start up to 80 ms before
// the video with which the part begins, and must not go back.
constexpr std::uint64_t part_step = 9000;

std::uint8_t low_byte(std::uint64_t value) {
    return static_cast<std::uint8_t>(value & 0xff);
}

bool is_after(std::uint64_t a, std::uint64_t b) {
    auto const ahead = (a - b) & clock_mask;
    return ahead != 0 && ahead <= clock_mask / 2;
}

/// PCR base: 33 bits in the first five bytes (2.4.3.5); its extension stays as it is.
std::uint64_t read_pcr(std::uint8_t const* at) {
    return std::uint64_t{at[0]} << 25 | std::uint64_t{at[1]} << 17 | std::uint64_t{at[2]} << 9 |
           std::uint64_t{at[3]} << 1 | std::uint64_t{at[4]} >> 7;
}

void write_pcr(std::uint8_t* at, std::uint64_t base) {
    at[0] = low_byte(base >> 25);
    at[1] = low_byte(base >> 17);
    at[2] = low_byte(base >> 9);
    at[3] = low_byte(base >> 1);
    at[4] = low_byte((at[4] & 0x7fU) | (base & 1) << 7);
}

void write_timestamp(std::uint8_t* at, std::uint64_t value) {
    at[0] = low_byte((at[0] & 0xf1U) | (value >> 29 & 0x0eU));
    at[1] = low_byte(value >> 22);
    at[2] = low_byte((at[2] & 0x01U) | (value >> 14 & 0xfeU));
    at[3] = low_byte(value >> 7);
    at[4] = low_byte((at[4] & 0x01U) | (value << 1 & 0xfeU));
}

/// Stream ids whose PES packets have no optional header (2.4.3.6).
bool has_optional_header(std::uint8_t stream_id) {
    switch (stream_id) {
    case 0xbc:
    case 0xbe:
    case 0xbf:
    case 0xf0:
    case 0xf1:
    case 0xf2:
    case 0xf8:
    case 0xff:
        return false;
    default:
        return true;
    }
}

} // namespace

/// Where in a packet the fields are that the joiner changes; 0 stands for absent. Each lies wholly
/// inside.
struct TsJoiner::Fields {
    std::uint16_t pid = 0;
    bool has_payload = false;
    bool is_damaged = false;    // passes as it is
    std::size_t adaptation = 0; // its flags
    std::size_t pcr = 0;
    std::size_t opcr = 0;
    std::size_t pts = 0;
    std::size_t dts = 0;

    [[nodiscard]] std::size_t decoding() const { return dts != 0 ? dts : pts; }

    explicit Fields(std::span<std::uint8_t const, packet_size> packet) {
        pid = static_cast<std::uint16_t>((packet[1] & 0x1fU) << 8 | packet[2]);
        has_payload = (packet[3] & 0x10U) != 0;
        is_damaged = (packet[1] & 0x80U) != 0 || pid == null_pid;
        auto payload = header_size;
        if ((packet[3] & 0x20U) != 0) {
            std::size_t const length = packet[4];
            if (length > packet_size - header_size - 1) {
                is_damaged = true;
                return;
            }
            read_adaptation(packet, length);
            payload += 1 + length;
        }
        auto const is_scrambled = (packet[3] & 0xc0U) != 0;
        auto const starts_unit = (packet[1] & 0x40U) != 0;
        if (!is_damaged && has_payload && starts_unit && !is_scrambled) read_pes(packet, payload);
    }

private:
    void read_adaptation(std::span<std::uint8_t const, packet_size> packet, std::size_t length) {
        if (length == 0) return;
        adaptation = header_size + 1;
        auto const has_pcr = (packet[adaptation] & 0x10U) != 0;
        auto const has_opcr = (packet[adaptation] & 0x08U) != 0;
        if (has_pcr && length >= 7) pcr = adaptation + 1;
        if (has_opcr && length >= (has_pcr ? 13U : 7U)) opcr = adaptation + (has_pcr ? 7U : 1U);
    }

    void read_pes(std::span<std::uint8_t const, packet_size> packet, std::size_t at) {
        if (at + 14 > packet_size) return;
        if (packet[at] != 0 || packet[at + 1] != 0 || packet[at + 2] != 1) return;
        if (!has_optional_header(packet[at + 3]) || (packet[at + 6] & 0xc0U) != 0x80U) return;
        auto const has_pts = (packet[at + 7] & 0x80U) != 0;
        auto const has_dts = has_pts && (packet[at + 7] & 0x40U) != 0;
        auto const length = packet[at + 8];
        if (has_pts && length >= 5) pts = at + 9;
        if (has_dts && length >= 10 && at + 19 <= packet_size) dts = at + 14;
    }
};

TsJoiner::TsJoiner()
    : pids_(pid_count) {}

Bytes TsJoiner::join(ByteView bytes, bool is_discontinuity) {
    if (is_discontinuity) begin_part();
    Bytes out;
    out.reserve(carry_.size() + bytes.size());
    append(out, carry_);
    append(out, bytes);
    std::size_t at = 0;
    while (at + packet_size <= out.size()) {
        if (out[at] == sync_byte) {
            pass(Packet{out.data() + at, packet_size});
            at += packet_size;
            continue;
        }
        auto const* const found = std::memchr(out.data() + at, sync_byte, out.size() - at);
        at = found == nullptr
                 ? out.size()
                 : static_cast<std::size_t>(static_cast<std::uint8_t const*>(found) - out.data());
    }
    carry_.assign(out.begin() + static_cast<std::ptrdiff_t>(at), out.end());
    out.resize(at);
    return out;
}

Bytes TsJoiner::finish() {
    return std::exchange(carry_, {});
}

void TsJoiner::begin_part() {
    carry_.clear();
    is_transparent_ = false;
    is_offset_settled_ = false;
    for (auto& pid : pids_) {
        pid.is_counted = false;
        pid.is_marked = false;
    }
}

void TsJoiner::pass(Packet packet) {
    Fields const fields{packet};
    if (fields.is_damaged) return;
    auto& pid = pids_[fields.pid];
    if (!is_transparent_) {
        restamp_counter(packet, pid, fields);
        if (!is_offset_settled_) settle_offset(packet, fields);
        for (auto const at : {fields.pcr, fields.opcr}) {
            if (at != 0) write_pcr(&packet[at], (read_pcr(&packet[at]) + offset_) & clock_mask);
        }
        for (auto const at : {fields.pts, fields.dts}) {
            if (at != 0)
                write_timestamp(
                    &packet[at], (read_ts_timestamp(&packet[at]) + offset_) & clock_mask
                );
        }
    }
    pid.counter = packet[3] & 0x0fU;
    pid.is_seen = true;
    note_clocks(packet, fields);
}

/// A shift, not a new count: repeated packets stay repeated, and losses before the publisher stay
/// visible.
void TsJoiner::restamp_counter(Packet packet, Pid& pid, Fields const& fields) const {
    if (!pid.is_counted) {
        pid.is_counted = true;
        auto const wanted = pid.counter + (fields.has_payload ? 1U : 0U);
        pid.shift = pid.is_seen ? low_byte((wanted - packet[3]) & 0x0fU) : std::uint8_t{0};
    }
    packet[3] = low_byte((packet[3] & 0xf0U) | ((packet[3] + pid.shift) & 0x0fU));
    if (pid.is_marked || fields.adaptation == 0) return;
    pid.is_marked = true;
    packet[fields.adaptation] |= 0x80U;
}

/// The first timestamps of a part decide by how much all of its clocks move.
void TsJoiner::settle_offset(Packet packet, Fields const& fields) {
    std::optional<Ticks> wanted;
    auto const want = [&](Ticks offset) {
        offset &= clock_mask;
        if (!wanted || is_after(offset, *wanted)) wanted = offset;
    };
    auto const at = fields.decoding();
    if (at != 0 && last_dts_) want(*last_dts_ + part_step - read_ts_timestamp(&packet[at]));
    if (fields.pcr != 0 && last_pcr_) {
        auto const step = at != 0 ? 1 : part_step;
        want(*last_pcr_ + step - read_pcr(&packet[fields.pcr]));
    }
    if (!wanted) return;
    offset_ = *wanted;
    is_offset_settled_ = true;
}

void TsJoiner::note_clocks(Packet packet, Fields const& fields) {
    if (fields.pcr != 0) last_pcr_ = read_pcr(&packet[fields.pcr]);
    auto const at = fields.decoding();
    if (at == 0) return;
    auto const dts = read_ts_timestamp(&packet[at]);
    if (!last_dts_ || is_after(dts, *last_dts_)) last_dts_ = dts;
}

} // namespace minuteswarm
