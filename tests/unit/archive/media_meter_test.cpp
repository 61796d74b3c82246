#include "archive/media_meter.hpp"
#include "support/archive_builder.hpp"
#include "support/ffmpeg.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

std::optional<UsableMedia> measure(Container container, ByteView bytes, std::size_t step = 1000) {
    MediaMeter meter(container);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        meter.add(bytes.subspan(at, std::min(step, bytes.size() - at)));
    }
    return meter.result();
}

Bytes encode_audio(TempFolder const& temp, std::string const& options) {
    auto const file = temp / "audio";
    run_ffmpeg("-f lavfi -i sine=sample_rate=44100:duration=3 " + options + " " + file.string());
    return slurp(file);
}

double seconds(std::optional<UsableMedia> const& media) {
    return in_seconds(media->duration);
}

} // namespace

TEST_CASE("MediaMeter measures a transport stream by its timestamps") {
    TempFolder temp;
    auto const bytes = slurp(make_ts_chunks(temp / "ts", 2).front());
    auto const whole = measure(Container::mpeg_ts, bytes);
    REQUIRE(whole);
    CHECK(whole->size == bytes.size());
    CHECK(seconds(whole) == Approx(2.0).margin(0.1));
    CHECK(measure(Container::mpeg_ts, bytes, 1) == whole);

    auto const half = measure(Container::mpeg_ts, ByteView(bytes).first(bytes.size() / 2 + 5));
    REQUIRE(half);
    CHECK(half->size % 188 == 0);
    CHECK(half->size + 188 > bytes.size() / 2 + 5);
    CHECK(seconds(half) < seconds(whole));
    CHECK(seconds(half) > 0.5);
}

TEST_CASE("MediaMeter ends a transport stream where its packets do") {
    TempFolder temp;
    auto bytes = slurp(make_ts_chunks(temp / "ts", 2).front());
    auto const good = bytes.size();
    bytes.resize(good + 188 * 20);
    CHECK(measure(Container::mpeg_ts, bytes)->size == good);
}

TEST_CASE("MediaMeter measures a transport stream across the wrap of its clock") {
    TempFolder temp;
    auto const file = temp / "wrap.ts";
    run_ffmpeg(
        "-f lavfi -i sine=sample_rate=48000:duration=4 -c:a aac -output_ts_offset 95441.7 -f "
        "mpegts " +
        file.string()
    );
    auto const media = measure(Container::mpeg_ts, slurp(file));
    REQUIRE(media);
    CHECK(seconds(media) == Approx(4.0).margin(0.3));
}

TEST_CASE("MediaMeter measures audio frames and cuts at the last whole one") {
    TempFolder temp;
    auto const [container, options] = GENERATE(
        std::pair(Container::mp3, "-c:a libmp3lame -b:a 64k -write_xing 0 -id3v2_version 0 -f mp3"),
        std::pair(
            Container::mp3,
            "-ar 22050 -c:a libmp3lame -b:a 48k -write_xing 0 -id3v2_version 0 -f mp3"
        ),
        std::pair(Container::adts, "-c:a aac -b:a 64k -f adts")
    );
    auto const bytes = encode_audio(temp, options);
    auto const whole = measure(container, bytes);
    REQUIRE(whole);
    CHECK(whole->size == bytes.size());
    CHECK(seconds(whole) == Approx(3.0).margin(0.15));

    auto const torn = measure(container, ByteView(bytes).first(bytes.size() - 1));
    REQUIRE(torn);
    CHECK(torn->size < bytes.size());
    CHECK(torn->size + 2000 > bytes.size());
    CHECK(torn->duration < whole->duration);
}

TEST_CASE("MediaMeter measures fragments and cuts at the last whole one") {
    TempFolder temp;
    auto const bytes = encode_audio(
        temp,
        "-c:a aac -f mp4 -movflags empty_moov+default_base_moof+skip_trailer -frag_duration 500000"
    );
    auto const whole = measure(Container::fmp4, bytes);
    REQUIRE(whole);
    CHECK(whole->size == bytes.size());
    CHECK(seconds(whole) == Approx(3.0).margin(0.1));
    auto const torn = measure(Container::fmp4, ByteView(bytes).first(bytes.size() - 1));
    REQUIRE(torn);
    CHECK(seconds(torn) == Approx(2.5).margin(0.2));
    auto const cut = ByteView(bytes).first(static_cast<std::size_t>(torn->size));
    CHECK(measure(Container::fmp4, cut) == torn);
    CHECK_FALSE(measure(Container::fmp4, ByteView(bytes).first(600)));
}

TEST_CASE("MediaMeter finds no media in anything else") {
    for (auto const container :
         {Container::mpeg_ts, Container::mp3, Container::adts, Container::fmp4}) {
        CAPTURE(container);
        CHECK_FALSE(measure(container, {}));
        CHECK_FALSE(measure(container, Bytes(100'000, 0)));
        CHECK_FALSE(measure(container, Bytes(100'000, 0x47)));
        CHECK_FALSE(measure(container, Bytes(100'000, 0xff)));
        CHECK_FALSE(measure(container, random_bytes(100'000)));
    }
}

TEST_CASE("MediaMeter withstands flipped bytes in every container") {
    TempFolder temp;
    auto bytes = encode_audio(
        temp, "-c:a aac -f mp4 -movflags empty_moov+default_base_moof -frag_duration 500000"
    );
    bytes.resize(4000);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto damaged = bytes;
        damaged[at] ^= 0xff;
        auto const media = measure(Container::fmp4, damaged, 4000);
        if (media) CHECK(media->size <= damaged.size());
    }
}
