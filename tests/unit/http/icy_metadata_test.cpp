#include "http/icy_metadata.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;

namespace {

struct Split {
    Bytes audio;
    std::vector<std::string> blocks;
};

/// What a player does: 16000 audio bytes, a length byte, that many units of text.
Split split(Bytes const& stream) {
    Split result;
    std::size_t at = 0;
    while (at + IcyMetadata::interval < stream.size()) {
        auto const audio = ByteView{stream}.subspan(at, IcyMetadata::interval);
        append(result.audio, audio);
        at += IcyMetadata::interval;
        auto const length = std::size_t{stream[at]} * 16;
        result.blocks.emplace_back(as_text(ByteView{stream}.subspan(at + 1, length)));
        at += 1 + length;
    }
    append(result.audio, ByteView{stream}.subspan(at));
    return result;
}

Bytes audio_of(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
    return bytes;
}

} // namespace

TEST_CASE("ICY metadata leaves the audio as it was, however it is cut") {
    auto const audio = audio_of(100'000);
    for (std::size_t const step : {1'000u, 15'999u, 16'000u, 16'001u, 50'000u}) {
        IcyMetadata metadata;
        Bytes stream;
        for (std::size_t at = 0; at < audio.size(); at += step) {
            auto const length = std::min(step, audio.size() - at);
            append(stream, metadata.insert(ByteView{audio}.subspan(at, length), "A song"));
        }
        auto const got = split(stream);
        CAPTURE(step);
        CHECK(got.audio == audio);
        REQUIRE(got.blocks.size() == 6);
        CHECK(got.blocks[0] == std::string("StreamTitle='A song';").append(11, '\0'));
        CHECK(got.blocks[1].empty());
    }
}

TEST_CASE("ICY metadata tells a title again when it changes") {
    IcyMetadata metadata;
    auto stream = metadata.insert(audio_of(16'000), "One");
    append(stream, metadata.insert(audio_of(16'000), "Two"));
    append(stream, metadata.insert(audio_of(1), "Two"));
    auto const got = split(stream);
    REQUIRE(got.blocks.size() == 2);
    CHECK(got.blocks[1].starts_with("StreamTitle='Two';"));
}

TEST_CASE("ICY metadata neutralises what would end a title or a line") {
    IcyMetadata metadata;
    auto stream = metadata.insert(audio_of(16'000), "it's; a\r\ntrap");
    append(stream, metadata.insert(audio_of(1), ""));
    CHECK(split(stream).blocks.at(0).starts_with("StreamTitle='it`s, a  trap';"));
}

TEST_CASE("ICY metadata cuts a title that would not fit its block") {
    IcyMetadata metadata;
    auto stream = metadata.insert(audio_of(16'000), std::string(10'000, 'x'));
    append(stream, metadata.insert(audio_of(1), ""));
    auto const block = split(stream).blocks.at(0);
    CHECK(block.size() == 255 * 16);
    CHECK(block.ends_with("';"));
}
