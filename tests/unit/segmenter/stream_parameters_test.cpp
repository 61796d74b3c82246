#include "segmenter/stream_parameters.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace minuteswarm;

namespace {

struct Free {
    void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
};
using Parameters = std::unique_ptr<AVCodecParameters, Free>;

Parameters stream(AVMediaType type, AVCodecID codec) {
    Parameters parameters(avcodec_parameters_alloc());
    parameters->codec_type = type;
    parameters->codec_id = codec;
    return parameters;
}
Parameters video(AVCodecID codec) {
    return stream(AVMEDIA_TYPE_VIDEO, codec);
}
Parameters audio(AVCodecID codec) {
    return stream(AVMEDIA_TYPE_AUDIO, codec);
}

} // namespace

TEST_CASE("Sound alone goes as it is, and everything else in MPEG-TS") {
    auto const h264 = video(AV_CODEC_ID_H264);
    auto const aac = audio(AV_CODEC_ID_AAC);
    auto const mp3 = audio(AV_CODEC_ID_MP3);
    auto const ac3 = audio(AV_CODEC_ID_AC3);
    CHECK(*container_for(h264.get(), aac.get(), {}) == Container::mpeg_ts);
    CHECK(*container_for(h264.get(), nullptr, {}) == Container::mpeg_ts);
    CHECK(*container_for(nullptr, aac.get(), {}) == Container::adts);
    CHECK(*container_for(nullptr, mp3.get(), {}) == Container::mp3);
    CHECK(*container_for(nullptr, ac3.get(), {}) == Container::mpeg_ts);
    CHECK(*container_for(nullptr, aac.get(), Container::mpeg_ts) == Container::mpeg_ts);
    CHECK_FALSE(container_for(h264.get(), aac.get(), Container::adts));
}

TEST_CASE("A codec that is not carried is named with the command that helps") {
    auto const vp9 = video(AV_CODEC_ID_VP9);
    auto const h264 = video(AV_CODEC_ID_H264);
    auto const opus = audio(AV_CODEC_ID_OPUS);
    auto const message = [](AVCodecParameters const* picture, AVCodecParameters const* sound) {
        return container_for(picture, sound, {}).error().message;
    };
    CHECK_THAT(message(vp9.get(), opus.get()), Catch::StartsWith("vp9 is not carried"));
    CHECK_THAT(
        message(vp9.get(), opus.get()), Catch::Contains("-c:v libx264 -preset veryfast -c:a aac")
    );
    CHECK_THAT(message(h264.get(), opus.get()), Catch::StartsWith("opus is not carried"));
    CHECK_THAT(message(h264.get(), opus.get()), Catch::Contains("-c:v copy -c:a aac"));
    CHECK_THAT(message(nullptr, opus.get()), Catch::Contains("-c:a aac -vn -f adts"));
}

TEST_CASE("Parameter sets are found before the picture and name the codec") {
    Bytes const packet{0,    0,    0,    1,    9,    0xf0, 0, 0, 0,    1,
                       0x67, 0x64, 0x00, 0x1f, 0xac, 0,    0, 1, 0x65, 1};
    auto const found = parameter_bytes(AV_CODEC_ID_H264, packet);
    CHECK(found == Bytes{0x67, 0x64, 0x00, 0x1f, 0xac});
    CHECK(codec_name(*video(AV_CODEC_ID_H264), found) == "avc1.64001f");
    CHECK(parameter_bytes(AV_CODEC_ID_H264, Bytes{0, 0, 1, 0x41, 2, 3}).empty());
}

TEST_CASE("Short and broken bytes name nothing") {
    for (auto const codec :
         {AV_CODEC_ID_H264,
          AV_CODEC_ID_HEVC,
          AV_CODEC_ID_MPEG2VIDEO,
          AV_CODEC_ID_AAC,
          AV_CODEC_ID_MP3}) {
        Bytes packet;
        for (auto const byte : Bytes{0, 0, 1, 0x67, 0x42}) {
            CHECK(parameter_bytes(codec, packet).size() <= packet.size());
            packet.push_back(byte);
        }
    }
    CHECK(codec_name(*video(AV_CODEC_ID_H264), {}).empty());
    CHECK(codec_name(*video(AV_CODEC_ID_HEVC), Bytes{0x42, 1, 1}).empty());
    CHECK(adts_header_size(Bytes{0xff, 0xf1}) == 0);
}

TEST_CASE("An ADTS header must frame exactly the packet") {
    Bytes packet{0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 1, 2};
    CHECK(adts_header_size(packet) == 7);
    packet.push_back(3);
    CHECK(adts_header_size(packet) == 0);
}

TEST_CASE("Sound's parameters change with rate and channels, not with bit rate or padding") {
    auto const of = [](std::uint8_t rate, std::uint8_t mode) {
        return parameter_bytes(AV_CODEC_ID_MP3, Bytes{0xff, 0xfb, rate, mode});
    };
    CHECK(of(0x90, 0x00) == of(0xb2, 0x40));
    CHECK(of(0x90, 0x00) != of(0x94, 0x00));
    CHECK(of(0x90, 0x00) != of(0x90, 0xc0));
}
