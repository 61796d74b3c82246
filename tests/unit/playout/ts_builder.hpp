#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace minuteswarm::playout_test {

inline constexpr std::uint64_t ts_clock_mask = (std::uint64_t{1} << 33) - 1;

inline std::uint8_t byte(std::uint64_t value) {
    return static_cast<std::uint8_t>(value & 0xff);
}

/// What one packet is to carry.
struct TsSpec {
    std::uint16_t pid = 0;
    std::optional<std::uint64_t> pcr = std::nullopt;
    std::optional<std::uint64_t> pts = std::nullopt;
    std::optional<std::uint64_t> dts = std::nullopt;
    bool has_payload = true;
    bool has_adaptation = false;
    bool is_key = false; ///< random_access_indicator, where there is a PCR
    std::uint8_t stream_id = 0xe0;
};

/// A small multiplexer: packets one by one, with its own continuity counters.
class TsBuilder {
public:
    explicit TsBuilder(std::uint8_t first_counter = 0)
        : first_counter_(first_counter) {}

    void add(TsSpec const& spec) {
        Bytes packet{0x47, byte((spec.pts ? 0x40U : 0U) | spec.pid >> 8), byte(spec.pid), 0};
        auto const has_adaptation = spec.has_adaptation || spec.pcr || !spec.has_payload;
        auto [counter, is_new] = counters_.try_emplace(spec.pid, first_counter_);
        if (!is_new && spec.has_payload) counter->second = byte((counter->second + 1U) & 0x0fU);
        packet[3] =
            byte((has_adaptation ? 0x20U : 0U) | (spec.has_payload ? 0x10U : 0U) | counter->second);
        if (has_adaptation) add_adaptation(packet, spec);
        if (spec.pts) add_pes(packet, spec);
        while (packet.size() < 188)
            packet.push_back(byte(packet.size() * 7U));
        append(bytes_, packet);
    }
    /// A packet that begins a table, as PAT and PMT do.
    void add_table() {
        Bytes packet{0x47, 0x40, 0, 0x10, 0, 0, 0xb0};
        packet.resize(188, 0xff);
        append(bytes_, packet);
    }
    [[nodiscard]] Bytes const& bytes() const { return bytes_; }

private:
    static void add_adaptation(Bytes& packet, TsSpec const& spec) {
        packet.push_back(spec.has_payload ? 7 : 183);
        packet.push_back(byte((spec.pcr ? 0x10U : 0U) | (spec.is_key ? 0x40U : 0U)));
        auto const pcr = spec.pcr.value_or(0);
        for (auto const part :
             {pcr >> 25, pcr >> 17, pcr >> 9, pcr >> 1, (pcr & 1) << 7 | 0x7fU, std::uint64_t{5}}) {
            packet.push_back(byte(part));
        }
    }
    static void add_timestamp(Bytes& packet, std::uint64_t prefix, std::uint64_t value) {
        packet.push_back(byte(prefix << 4 | (value >> 30 & 7) << 1 | 1));
        packet.push_back(byte(value >> 22));
        packet.push_back(byte((value >> 15 & 0x7f) << 1 | 1));
        packet.push_back(byte(value >> 7));
        packet.push_back(byte((value & 0x7f) << 1 | 1));
    }
    static void add_pes(Bytes& packet, TsSpec const& spec) {
        append(packet, Bytes{0, 0, 1, spec.stream_id, 0, 0, 0x80});
        packet.push_back(spec.dts ? 0xc0 : 0x80);
        packet.push_back(spec.dts ? 10 : 5);
        add_timestamp(packet, spec.dts ? 3 : 2, *spec.pts);
        if (spec.dts) add_timestamp(packet, 1, *spec.dts);
    }

    std::uint8_t first_counter_;
    std::map<std::uint16_t, std::uint8_t> counters_;
    Bytes bytes_;
};

/// A second reading of a transport stream, independent of the joiner's.
struct TsReport {
    std::size_t packets = 0;
    std::size_t lost_sync = 0;
    std::size_t counter_errors = 0;
    std::vector<std::uint64_t> pcrs;
    std::map<std::uint16_t, std::vector<std::uint64_t>> dts; // PTS where there is no DTS
    std::vector<std::uint64_t> pts;
    std::map<std::uint16_t, std::size_t> marks; // packets with discontinuity_indicator
};

inline std::uint64_t parse_timestamp(std::uint8_t const* at) {
    return (at[0] >> 1 & 7ULL) << 30 | std::uint64_t{at[1]} << 22 | (at[2] >> 1 & 0x7fULL) << 15 |
           std::uint64_t{at[3]} << 7 | (at[4] >> 1 & 0x7fULL);
}

inline TsReport read_ts(ByteView bytes) {
    TsReport report;
    std::map<std::uint16_t, std::uint8_t> counters;
    for (std::size_t at = 0; at + 188 <= bytes.size(); at += 188) {
        auto const packet = bytes.subspan(at, 188);
        ++report.packets;
        if (packet[0] != 0x47) {
            ++report.lost_sync;
            continue;
        }
        auto const pid = static_cast<std::uint16_t>((packet[1] & 0x1f) * 256 + packet[2]);
        if (pid == 0x1fff) continue;
        auto const has_payload = (packet[3] & 0x10) != 0;
        auto const counter = byte(packet[3] & 0x0fU);
        if (counters.contains(pid)) {
            auto const expected = has_payload ? (counters[pid] + 1) % 16 : counters[pid];
            if (expected != counter) ++report.counter_errors;
        }
        counters[pid] = counter;
        std::size_t payload = 4;
        if ((packet[3] & 0x20) != 0) {
            payload += 1U + packet[4];
            if (packet[4] > 0 && (packet[5] & 0x80) != 0) ++report.marks[pid];
            if (packet[4] >= 7 && (packet[5] & 0x10) != 0) {
                auto const* const pcr = &packet[6];
                report.pcrs.push_back(
                    std::uint64_t{pcr[0]} << 25 | std::uint64_t{pcr[1]} << 17 |
                    std::uint64_t{pcr[2]} << 9 | std::uint64_t{pcr[3]} << 1 | pcr[4] >> 7
                );
            }
        }
        auto const starts_pes = (packet[1] & 0x40) != 0 && has_payload && payload + 19 <= 188 &&
                                packet[payload] == 0 && packet[payload + 1] == 0 &&
                                packet[payload + 2] == 1 && packet[payload + 3] >= 0xc0;
        if (!starts_pes || (packet[payload + 7] & 0x80) == 0) continue;
        auto const has_dts = (packet[payload + 7] & 0x40) != 0;
        report.pts.push_back(parse_timestamp(&packet[payload + 9]));
        report.dts[pid].push_back(parse_timestamp(&packet[payload + (has_dts ? 14 : 9)]));
    }
    return report;
}

/// The largest step between neighbours, or none if one goes back, modulo 2^33.
inline std::optional<std::uint64_t> largest_step(std::vector<std::uint64_t> const& times) {
    std::uint64_t largest = 0;
    for (std::size_t at = 1; at < times.size(); ++at) {
        auto const step = (times[at] - times[at - 1]) & ts_clock_mask;
        if (step > ts_clock_mask / 2) return std::nullopt;
        largest = std::max(largest, step);
    }
    return largest;
}

} // namespace minuteswarm::playout_test
