#include "input/source_url.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;

namespace {

std::string option(SourceUrl const& source, std::string const& name) {
    for (auto const& [key, value] : source.options)
        if (key == name) return value;
    return {};
}

} // namespace

TEST_CASE("A dash is standard input") {
    CHECK(parse_source_url("-").kind == SourceKind::pipe);
    CHECK(parse_source_url("pipe:0").kind == SourceKind::pipe);
}

TEST_CASE("A path is a file whatever characters it has") {
    auto const source = parse_source_url("clips/a:b,c%d.ts");
    CHECK(source.kind == SourceKind::file);
    CHECK(source.url == "file:clips/a:b,c%d.ts");
    CHECK(source.shown == "clips/a:b,c%d.ts");
    CHECK(parse_source_url("file:///tmp/a.ts").url == "file:/tmp/a.ts");
}

TEST_CASE("RTMP listens") {
    auto const source = parse_source_url("rtmp://127.0.0.1:1935/live/key");
    CHECK(source.kind == SourceKind::listener);
    CHECK(source.url == "rtmp://127.0.0.1:1935/live/key");
    CHECK(option(source, "listen") == "1");
    CHECK(source.open_timeout);
}

TEST_CASE("SRT listens in listener mode only") {
    CHECK(parse_source_url("srt://0.0.0.0:9000?mode=listener").kind == SourceKind::listener);
    CHECK(parse_source_url("srt://:9000?latency=20000&mode=listener").kind == SourceKind::listener);
    CHECK(parse_source_url("srt://host:9000").kind == SourceKind::live);
    CHECK(parse_source_url("srt://host:9000?mode=caller").kind == SourceKind::live);
}

TEST_CASE("TCP listens when asked to; UDP always does") {
    CHECK(parse_source_url("tcp://0.0.0.0:9000?listen").kind == SourceKind::listener);
    CHECK(parse_source_url("tcp://0.0.0.0:9000?listen=1").kind == SourceKind::listener);
    CHECK(parse_source_url("tcp://host:9000").kind == SourceKind::live);
    CHECK(parse_source_url("udp://239.0.0.1:1234").kind == SourceKind::listener);
}

TEST_CASE("What is shown of a source holds no secrets") {
    CHECK(
        parse_source_url("srt://host:9000?mode=listener&passphrase=hushhushhush").shown ==
        "srt://host:9000"
    );
    CHECK(parse_source_url("http://user:word@host/a.m3u8?token=1").shown == "http://host/a.m3u8");
}
