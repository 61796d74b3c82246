#include "archive/media_meter.hpp"

#include <algorithm>
#include <map>

namespace minuteswarm {

namespace {

constexpr std::size_t packet_size = 188;
constexpr std::uint8_t sync_byte = 0x47;
constexpr int timestamp_bits = 33;
constexpr std::int64_t ticks_per_second = 90'000;

/// PTS of a PES packet that starts in this transport packet (ISO/IEC 13818-1, 2.4.3).
std::optional<std::uint64_t> timestamp(ByteView packet) {
    bool const starts_unit = (packet[1] & 0x40) != 0;
    bool const has_adaptation = (packet[3] & 0x20) != 0;
    bool const has_payload = (packet[3] & 0x10) != 0;
    if (!starts_unit || !has_payload) return std::nullopt;
    std::size_t const begin = 4 + (has_adaptation ? 1U + packet[4] : 0U);
    constexpr std::size_t head = 14; // up to the end of the PTS
    if (begin + head > packet_size) return std::nullopt;
    auto const pes = packet.subspan(begin, head);
    bool const is_media = (pes[3] >= 0xc0 && pes[3] <= 0xef) || pes[3] == 0xbd;
    if (pes[0] != 0 || pes[1] != 0 || pes[2] != 1 || !is_media || (pes[7] & 0x80) == 0) {
        return std::nullopt;
    }
    auto const bits = [&](std::size_t at) { return std::uint64_t{pes[at]}; };
    return (bits(9) >> 1 & 7) << 30 | bits(10) << 22 | bits(11) >> 1 << 15 | bits(12) << 7 |
           bits(13) >> 1;
}

/// MPEG-TS: packets of 188 bytes; lengths from the presentation timestamps.
class TransportStreamFormat final : public MediaMeter::Format {
public:
    std::optional<std::size_t> take(ByteView bytes) override {
        if (bytes.front() != sync_byte) return std::nullopt;
        std::size_t taken = 0;
        while (bytes.size() - taken >= packet_size && bytes[taken] == sync_byte) {
            enter(bytes.subspan(taken, packet_size));
            taken += packet_size;
        }
        return taken;
    }

    [[nodiscard]] MediaTime duration() const override {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        for (auto const& [stream, times] : streams_) {
            begin = std::min(begin, times.first);
            // The last packet lasts as long as its predecessors did on average.
            auto const step = times.count > 1 ? (times.last - times.first) / (times.count - 1) : 0;
            end = std::max(end, times.last + step);
        }
        return MediaTime{(end - begin) * 1'000'000 / ticks_per_second};
    }

private:
    struct Times {
        std::int64_t first = 0;
        std::int64_t last = 0;
        std::int64_t count = 0;
    };

    void enter(ByteView packet) {
        auto const stream = static_cast<std::uint16_t>((packet[1] & 0x1f) << 8 | packet[2]);
        has_program_ = has_program_ || stream == 0;
        auto const time = timestamp(packet);
        if (!time || !has_program_) return;
        if (!origin_) origin_ = *time;
        auto const relative = since_origin(*time);
        auto& times = streams_.try_emplace(stream, Times{relative, relative, 0}).first->second;
        times.first = std::min(times.first, relative);
        times.last = std::max(times.last, relative);
        ++times.count;
    }

    [[nodiscard]] std::int64_t since_origin(std::uint64_t time) const {
        // Shifted up, the 33 bits wrap as 64 do; shifted down again, they have their sign.
        constexpr int unused = 64 - timestamp_bits;
        return static_cast<std::int64_t>((time - *origin_) << unused) >> unused;
    }

    bool has_program_ = false; // a chunk starts with its tables
    std::optional<std::uint64_t> origin_;
    std::map<std::uint16_t, Times> streams_; // at most 8192
};

} // namespace

std::unique_ptr<MediaMeter::Format> make_transport_stream_format() {
    return std::make_unique<TransportStreamFormat>();
}

} // namespace minuteswarm
