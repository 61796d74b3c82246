#include "playout/ts_frames.hpp"

#include "playout/ts_packet.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::size_t header_size = 4;

bool is_video(std::uint8_t stream_id) {
    return (stream_id & 0xf0U) == 0xe0U;
}

} // namespace

std::vector<TsFrame> TsFrames::feed(ByteView bytes) {
    std::vector<TsFrame> frames;
    while (!bytes.empty() && !is_damaged_) {
        if (carry_.empty() && bytes.size() >= ts_packet_size) {
            read(bytes.first(ts_packet_size), frames);
            bytes = bytes.subspan(ts_packet_size);
            continue;
        }
        auto const part = std::min(ts_packet_size - carry_.size(), bytes.size());
        append(carry_, bytes.first(part));
        bytes = bytes.subspan(part);
        if (carry_.size() < ts_packet_size) break;
        read(carry_, frames);
        carry_.clear();
    }
    return frames;
}

void TsFrames::read(Packet packet, std::vector<TsFrame>& frames) {
    auto const pid = static_cast<std::uint16_t>((packet[1] & 0x1fU) << 8 | packet[2]);
    auto const has_payload = (packet[3] & 0x10U) != 0;
    auto const starts_unit = (packet[1] & 0x40U) != 0;
    std::size_t payload = header_size;
    if ((packet[3] & 0x20U) != 0) payload += 1U + packet[4];
    if (packet[0] != ts_sync_byte) {
        is_damaged_ = true;
    } else if (pid != ts_null_pid && has_payload && payload + 4 <= ts_packet_size) {
        auto const is_pes =
            packet[payload] == 0 && packet[payload + 1] == 0 && packet[payload + 2] == 1;
        if (starts_unit && !is_pes) {
            headers_at_ = headers_at_.value_or(offset_);
        } else {
            if (starts_unit && is_video(packet[payload + 3])) begin_frame(packet, payload, frames);
            headers_at_.reset();
        }
    }
    offset_ += ts_packet_size;
}

/// The PES header (2.4.3.6) of a picture stands at `payload`; one without time is part of what
/// comes before it.
void TsFrames::begin_frame(Packet packet, std::size_t payload, std::vector<TsFrame>& frames) {
    if (payload + 19 > ts_packet_size) return;
    auto const* const header = packet.data() + payload;
    auto const has_pts = (header[7] & 0x80U) != 0;
    auto const has_dts = has_pts && (header[7] & 0x40U) != 0;
    if (!has_pts) return;
    auto const dts = read_ts_timestamp(header + (has_dts ? 14 : 9));
    auto const step = (dts - last_dts_.value_or(dts)) & ts_clock_mask;
    if (step <= ts_clock_mask / 2) ticks_ += step;
    last_dts_ = dts;
    auto const has_flags = (packet[3] & 0x20U) != 0 && packet[4] > 0;
    TsFrame frame;
    frame.offset = headers_at_.value_or(offset_);
    frame.time = MediaTime{static_cast<MediaTime::rep>(ticks_ * 100 / 9)};
    frame.is_random_access_point = has_flags && (packet[5] & 0x40U) != 0;
    frames.push_back(frame);
}

} // namespace minuteswarm
