#include "fuzz/fuzz.hpp"
#include "segmenter/stream_parameters.hpp"

#include <array>

using namespace minuteswarm;

namespace {

constexpr std::array codecs{
    AV_CODEC_ID_H264,
    AV_CODEC_ID_HEVC,
    AV_CODEC_ID_AAC,
    AV_CODEC_ID_MP3,
    AV_CODEC_ID_AC3,
    AV_CODEC_ID_OPUS};

} // namespace

/// The first byte chooses the codec, the rest is a packet of a remote encoder.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    auto const codec = codecs[data[0] % codecs.size()];
    ByteView const packet{data + 1, size - 1};
    auto const parameters = parameter_bytes(codec, packet);
    require(parameters.size() <= packet.size());
    AVCodecParameters stream{};
    stream.codec_id = codec;
    stream.codec_type = codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC ? AVMEDIA_TYPE_VIDEO
                                                                               : AVMEDIA_TYPE_AUDIO;
    auto const name = codec_name(stream, parameters);
    require(name.size() < 64 && name.find('"') == std::string::npos);
    codec_name(stream, packet);
    require(adts_header_size(packet) <= packet.size());
    is_annex_b(packet);
    return 0;
}
