#include "http/http_route.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using Kind = HttpRoute::Kind;

namespace {

Kind kind_of(std::string_view target, Container container = Container::mpeg_ts) {
    return route_of(target, container).kind;
}

} // namespace

TEST_CASE("Route knows the fixed paths and ignores a query") {
    CHECK(kind_of("/") == Kind::page);
    CHECK(kind_of("/?from=mail") == Kind::page);
    CHECK(kind_of("/hls.js") == Kind::hls_script);
    CHECK(kind_of("/api/status") == Kind::status);
    CHECK(kind_of("/metrics") == Kind::metrics);
    CHECK(kind_of("/live.m3u8?_HLS_msn=3") == Kind::live);
    CHECK(kind_of("/dvr.m3u8") == Kind::dvr);
    CHECK(kind_of("/stream") == Kind::any_stream);
}

TEST_CASE("Route takes the stream and chunks under the container's ending") {
    CHECK(kind_of("/stream.ts") == Kind::stream);
    CHECK(kind_of("/stream.mp3", Container::mp3) == Kind::stream);
    CHECK(kind_of("/stream.aac", Container::adts) == Kind::stream);
    auto const chunk = route_of("/chunks/42.ts", Container::mpeg_ts);
    CHECK(chunk.kind == Kind::chunk);
    CHECK(chunk.number == ChunkNumber{42});
}

TEST_CASE("Route says which ending to use instead of a wrong one") {
    auto const stream = route_of("/stream.ts", Container::mp3);
    CHECK(stream.kind == Kind::none);
    CHECK(stream.message == "this broadcast is at /stream.mp3");
    CHECK(
        route_of("/chunks/7.mp3", Container::mpeg_ts).message == "this broadcast is at /chunks/7.ts"
    );
}

TEST_CASE("Route leads nowhere else") {
    for (auto const* target :
         {"",
          "*",
          "//",
          "/../etc/passwd",
          "/chunks/",
          "/chunks/.ts",
          "/chunks/0.ts",
          "/chunks/01.ts",
          "/chunks/-1.ts",
          "/chunks/+1.ts",
          "/chunks/1",
          "/chunks/1.ts/",
          "/chunks/1.exe",
          "/chunks/../1.ts",
          "/chunks/1%2ets",
          "/chunks/18446744073709551616.ts",

          "/stream.",
          "/stream.exe",
          "/streams.ts",
          "stream.ts",
          "http://evil.example/",
          "/API/status"}) {
        CAPTURE(target);
        auto const route = route_of(target, Container::mpeg_ts);
        CHECK(route.kind == Kind::none);
        CHECK(route.message == "not found");
    }
}
