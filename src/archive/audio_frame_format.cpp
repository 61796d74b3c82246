#include "archive/media_meter.hpp"

#include <array>

namespace minuteswarm {

namespace {

struct AudioFrame {
    std::size_t size = 0; ///< bytes, header included
    MediaTime duration{};
};

MediaTime length(std::uint32_t samples, std::uint32_t rate) {
    return MediaTime{std::int64_t{samples} * 1'000'000 / rate};
}

/// Frame header of MPEG audio layer III (ISO/IEC 11172-3 2.4.2.3, 13818-3; 2.5 by convention).
std::optional<AudioFrame> parse_mp3_header(ByteView bytes) {
    constexpr std::array<std::uint32_t, 3> rates{44100, 48000, 32000};
    constexpr std::array<std::uint32_t, 16> kbits_1{
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0};
    constexpr std::array<std::uint32_t, 16> kbits_2{
        0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0};
    if (bytes[0] != 0xff || (bytes[1] & 0xe0) != 0xe0) return std::nullopt;
    auto const version = bytes[1] >> 3 & 3; // 3 = MPEG-1, 2 = MPEG-2, 0 = MPEG-2.5
    auto const layer = bytes[1] >> 1 & 3;   // 1 = layer III
    auto const rate_index = std::size_t{bytes[2]} >> 2 & 3;
    if (version == 1 || layer != 1 || rate_index == 3) return std::nullopt;
    auto const rate = rates[rate_index] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    auto const kbits = (version == 3 ? kbits_1 : kbits_2)[bytes[2] >> 4];
    if (kbits == 0) return std::nullopt; // free format and the forbidden value
    auto const samples = version == 3 ? 1152U : 576U;
    auto const padding = bytes[2] >> 1 & 1U;
    return AudioFrame{samples / 8 * kbits * 1000 / rate + padding, length(samples, rate)};
}

/// Header of an ADTS frame (ISO/IEC 13818-7, 6.2).
std::optional<AudioFrame> parse_adts_header(ByteView bytes) {
    constexpr std::array<std::uint32_t, 13> rates{
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350};
    constexpr std::size_t shortest = 7;
    if (bytes[0] != 0xff || (bytes[1] & 0xf6) != 0xf0) return std::nullopt;
    auto const rate_index = std::size_t{bytes[2]} >> 2 & 15;
    auto const size = (bytes[3] & 3U) << 11 | std::size_t{bytes[4]} << 3 | bytes[5] >> 5;
    if (rate_index >= rates.size() || size < shortest) return std::nullopt;
    auto const samples = 1024U * ((bytes[6] & 3U) + 1);
    return AudioFrame{size, length(samples, rates[rate_index])};
}

/// Audio frames back to back.
class AudioFrameFormat final : public MediaMeter::Format {
public:
    using Parse = std::optional<AudioFrame> (*)(ByteView);

    explicit AudioFrameFormat(Parse parse)
        : parse_(parse) {}

    std::optional<std::size_t> take(ByteView bytes) override {
        constexpr std::size_t head = 7; // of ADTS; layer III needs 4, and no frame is shorter
        if (bytes.size() < head) return 0;
        auto const frame = parse_(bytes);
        if (!frame) return std::nullopt;
        if (frame->size > bytes.size()) return 0;
        duration_ += frame->duration;
        return frame->size;
    }

    [[nodiscard]] MediaTime duration() const override { return duration_; }

private:
    Parse parse_;
    MediaTime duration_{};
};

} // namespace

std::unique_ptr<MediaMeter::Format> make_mp3_format() {
    return std::make_unique<AudioFrameFormat>(parse_mp3_header);
}

std::unique_ptr<MediaMeter::Format> make_adts_format() {
    return std::make_unique<AudioFrameFormat>(parse_adts_header);
}

} // namespace minuteswarm
