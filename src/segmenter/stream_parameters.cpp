#include "segmenter/stream_parameters.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <optional>
#include <sstream>

namespace minuteswarm {
namespace {

constexpr std::uint8_t h264_sps = 7;
constexpr std::uint8_t hevc_sps = 33;
constexpr std::size_t sps_limit = 512;     // real ones have under 100 bytes
constexpr std::size_t search_limit = 4096; // parameter sets stand before the picture

bool fits_mpeg_ts(AVCodecID codec) {
    switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_MP3:
    case AV_CODEC_ID_MP2:
    case AV_CODEC_ID_AC3:
    case AV_CODEC_ID_EAC3:
        return true;
    default:
        return false;
    }
}

/// Where the bytes after the next start code begin; the size when there is none.
std::size_t after_start_code(ByteView bytes, std::size_t from) {
    for (auto i = from; i + 3 <= bytes.size(); ++i)
        if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) return i + 3;
    return bytes.size();
}

/// The first unit after a start code whose first byte `is_wanted`, up to the next start code.
template <class IsWanted>
Bytes find_unit(ByteView bytes, IsWanted is_wanted) {
    bytes = bytes.first(std::min(bytes.size(), search_limit));
    for (auto at = after_start_code(bytes, 0); at < bytes.size();
         at = after_start_code(bytes, at)) {
        if (!is_wanted(bytes[at])) continue;
        auto const next = after_start_code(bytes, at);
        auto end = next < bytes.size() ? next - 3 : next;
        while (end > at && bytes[end - 1] == 0)
            --end; // belongs to the next start code
        end = std::min(end, at + sps_limit);
        auto const unit = bytes.subspan(at, end - at);
        return {unit.begin(), unit.end()};
    }
    return {};
}

/// MPEG-1 and MPEG-2 video: width, height, aspect and frame rate of the sequence header.
Bytes sequence_header(ByteView bytes) {
    auto unit = find_unit(bytes, [](std::uint8_t code) { return code == 0xb3; });
    unit.resize(std::min<std::size_t>(unit.size(), 5));
    return unit;
}

Bytes masked(ByteView packet, std::initializer_list<std::uint8_t> masks) {
    Bytes result;
    if (packet.size() < masks.size()) return result;
    std::size_t i = 0;
    for (auto const mask : masks)
        result.push_back(packet[i++] & mask);
    return result;
}

/// Version, layer, sample rate, and whether it is mono.
Bytes mpeg_audio_header(ByteView packet) {
    if (packet.size() < 4 || packet[0] != 0xff || (packet[1] & 0xe0) != 0xe0) return {};
    auto result = masked(packet, {0xff, 0xfe, 0x0c});
    result.push_back((packet[3] & 0xc0) == 0xc0 ? 1 : 0);
    return result;
}

std::string hex_byte(unsigned value) {
    std::ostringstream out;
    out << std::hex << std::setfill('0') << std::setw(2) << value;
    return out.str();
}

Bytes without_emulation_prevention(ByteView bytes) {
    Bytes result;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto const is_prevention =
            bytes[i] == 3 && i >= 2 && bytes[i - 1] == 0 && bytes[i - 2] == 0;
        if (!is_prevention) result.push_back(bytes[i]);
    }
    return result;
}

ByteView extradata_of(AVCodecParameters const& stream) {
    if (!stream.extradata || stream.extradata_size <= 0) return {};
    return {stream.extradata, static_cast<std::size_t>(stream.extradata_size)};
}

/// The sequence parameter set at hand: from the stream itself or from out-of-band Annex B.
Bytes sps_of(AVCodecParameters const& stream, ByteView parameters) {
    if (!parameters.empty()) return {parameters.begin(), parameters.end()};
    auto const extradata = extradata_of(stream);
    return is_annex_b(extradata) ? parameter_bytes(stream.codec_id, extradata) : Bytes{};
}

/// ISO/IEC 14496-15: avc1 and the three bytes after the unit's header or avcC's version.
std::string avc_name(AVCodecParameters const& stream, ByteView parameters) {
    auto bytes = sps_of(stream, parameters);
    auto const extradata = extradata_of(stream);
    if (bytes.empty() && extradata.size() >= 4 && extradata[0] == 1)
        bytes.assign(extradata.begin(), extradata.end());
    if (bytes.size() < 4) return {};
    return concat("avc1.", hex_byte(bytes[1]), hex_byte(bytes[2]), hex_byte(bytes[3]));
}

/// ISO/IEC 14496-15 annex E, from the twelve bytes of profile, tier and level.
std::string hevc_name(AVCodecParameters const& stream, ByteView parameters) {
    Bytes profile;
    auto const sps = without_emulation_prevention(sps_of(stream, parameters));
    auto const extradata = extradata_of(stream);
    if (sps.size() >= 15) {
        profile.assign(sps.begin() + 3, sps.begin() + 15);
    } else if (extradata.size() >= 13 && extradata[0] == 1) {
        profile.assign(extradata.begin() + 1, extradata.begin() + 13);
    } else {
        return {};
    }
    std::uint32_t compatibility = 0; // in reverse bit order
    for (unsigned bit = 0; bit < 32; ++bit)
        if ((profile[1 + bit / 8] >> (7 - bit % 8)) & 1) compatibility |= 1U << bit;
    std::ostringstream out;
    out << "hvc1.";
    auto const space = profile[0] >> 6;
    if (space > 0) out << static_cast<char>('A' + space - 1);
    out << (profile[0] & 0x1f) << '.' << std::hex << std::uppercase << compatibility << std::dec
        << '.' << ((profile[0] & 0x20) != 0 ? 'H' : 'L') << int{profile[11]};
    auto last = 10;
    while (last >= 5 && profile[static_cast<std::size_t>(last)] == 0)
        --last;
    for (auto i = 5; i <= last; ++i)
        out << '.' << std::hex << std::uppercase << int{profile[static_cast<std::size_t>(i)]};
    return out.str();
}

std::string aac_name(AVCodecParameters const& stream, ByteView parameters) {
    auto const extradata = extradata_of(stream);
    auto object_type = 2; // low complexity, by far the most common
    if (extradata.size() >= 2) {
        object_type = extradata[0] >> 3;
    } else if (parameters.size() >= 3) {
        object_type = (parameters[2] >> 6) + 1;
    } else if (stream.profile >= 0) {
        object_type = stream.profile + 1;
    }
    return concat("mp4a.40.", object_type);
}

bool fits(AVCodecParameters const& stream) {
    return fits_mpeg_ts(stream.codec_id);
}

/// A line to paste: re-encodes what does not fit and copies the rest.
std::string refusal(AVCodecParameters const* video, AVCodecParameters const* audio) {
    auto const* codec = avcodec_get_name((video && !fits(*video) ? video : audio)->codec_id);
    std::string options;
    if (video) options += fits(*video) ? " -c:v copy" : " -c:v libx264 -preset veryfast";
    if (audio) options += fits(*audio) ? " -c:a copy" : " -c:a aac";
    return concat(
        codec,
        " is not carried; re-encode to ",
        video ? "H.264 and AAC" : "AAC",
        ": ffmpeg -i INPUT",
        options,
        video ? " -f mpegts" : " -vn -f adts",
        " - | minuteswarm publish - --channel NAME"
    );
}

} // namespace

Expected<Container> container_for(
    AVCodecParameters const* video,
    AVCodecParameters const* audio,
    std::optional<Container> required
) {
    for (auto const* stream : {video, audio})
        if (stream && !fits(*stream)) return Error{refusal(video, audio)};

    auto natural = Container::mpeg_ts;
    if (!video && audio && audio->codec_id == AV_CODEC_ID_MP3) natural = Container::mp3;
    if (!video && audio && audio->codec_id == AV_CODEC_ID_AAC) natural = Container::adts;
    if (!required || *required == natural) return natural;
    if (*required == Container::mpeg_ts) return Container::mpeg_ts;
    return Error{concat(
        "this input needs .",
        extension(natural),
        " chunks, but the event began with .",
        extension(*required),
        "; send what it began with, or start a new event with --new-event"
    )};
}

Bytes parameter_bytes(AVCodecID codec, ByteView packet) {
    switch (codec) {
    case AV_CODEC_ID_H264:
        return find_unit(packet, [](std::uint8_t head) { return (head & 0x1f) == h264_sps; });
    case AV_CODEC_ID_HEVC:
        return find_unit(packet, [](std::uint8_t head) { return (head >> 1 & 0x3f) == hevc_sps; });
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
        return sequence_header(packet);
    case AV_CODEC_ID_MP2:
    case AV_CODEC_ID_MP3:
        return mpeg_audio_header(packet);
    case AV_CODEC_ID_AAC:
        if (adts_header_size(packet) == 0) return {};
        return masked(packet, {0xff, 0xfe, 0xfd, 0xc0}); // not the private and the copyright bits
    default:
        return {};
    }
}

std::string codec_name(AVCodecParameters const& stream, ByteView parameters) {
    switch (stream.codec_id) {
    case AV_CODEC_ID_H264:
        return avc_name(stream, parameters);
    case AV_CODEC_ID_HEVC:
        return hevc_name(stream, parameters);
    case AV_CODEC_ID_AAC:
        return aac_name(stream, parameters);
    case AV_CODEC_ID_MP3:
        return "mp4a.40.34";
    case AV_CODEC_ID_AC3:
        return "ac-3";
    case AV_CODEC_ID_EAC3:
        return "ec-3";
    default:
        return {};
    }
}

std::string describe(AVCodecParameters const& stream, AVRational frame_rate) {
    std::ostringstream out;
    out << avcodec_get_name(stream.codec_id);
    if (stream.codec_type == AVMEDIA_TYPE_VIDEO) {
        if (stream.width > 0) out << ' ' << stream.width << 'x' << stream.height;
        if (frame_rate.num > 0 && frame_rate.den > 0)
            out << ' ' << std::setprecision(4) << av_q2d(frame_rate) << " fps";
        return out.str();
    }
    if (stream.sample_rate > 0) out << ' ' << stream.sample_rate / 1000.0 << " kHz";
    auto const channels = stream.ch_layout.nb_channels;
    if (channels == 1) out << " mono";
    if (channels == 2) out << " stereo";
    if (channels > 2) out << ' ' << channels << " channels";
    return out.str();
}

bool is_annex_b(ByteView bytes) {
    if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) return false;
    return bytes[2] == 1 || (bytes[2] == 0 && bytes[3] == 1);
}

std::size_t adts_header_size(ByteView packet) {
    if (packet.size() < 7 || packet[0] != 0xff || (packet[1] & 0xf6) != 0xf0) return 0;
    auto const length = (std::size_t{packet[3] & 3U} << 11) | (std::size_t{packet[4]} << 3) |
                        (std::size_t{packet[5]} >> 5);
    if (length != packet.size()) return 0;
    return (packet[1] & 1) != 0 ? 7 : 9;
}

} // namespace minuteswarm
