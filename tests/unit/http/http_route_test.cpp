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

TEST_CASE("Route takes parts of chunks") {
    auto const part = route_of("/parts/42-7.ts", Container::mpeg_ts);
    CHECK(part.kind == Kind::part);
    CHECK(part.number == ChunkNumber{42});
    CHECK(part.part == 7U);
    CHECK(route_of("/parts/42-0.ts?_=1", Container::mpeg_ts).part == 0U);
    auto const all = route_of("/parts/42.ts", Container::mpeg_ts);
    CHECK(all.kind == Kind::part);
    CHECK_FALSE(all.part);
    for (auto const* const wrong :
         {"/parts/",
          "/parts/.ts",
          "/parts/0-1.ts",
          "/parts/042-1.ts",
          "/parts/42-.ts",
          "/parts/42-1-2.ts",
          "/parts/42-x.ts",
          "/parts/42--1.ts",
          "/parts/42-1.mp3",
          "/parts/42-1",
          "/parts/42-99999999999999999999.ts"})
        CHECK(kind_of(wrong) == Kind::none);
}

TEST_CASE("Delivery directives are read from the query") {
    auto const none = directives_of("/live.m3u8?x=_HLS_msn");
    CHECK_FALSE(none.sequence);
    CHECK_FALSE(none.is_malformed);
    auto const both = directives_of("/live.m3u8?a=b&_HLS_part=0&_HLS_msn=273&_HLS_push=1");
    CHECK(both.sequence == 273U);
    CHECK(both.part == 0U);
    CHECK_FALSE(both.is_malformed);
    for (auto const* const wrong :
         {"/live.m3u8?_HLS_part=1",
          "/live.m3u8?_HLS_msn",
          "/live.m3u8?_HLS_msn=",
          "/live.m3u8?_HLS_msn=-1",
          "/live.m3u8?_HLS_msn=1&_HLS_msn=2",
          "/live.m3u8?_HLS_msn=1&_HLS_part=x",
          "/live.m3u8?_HLS_msn=99999999999999999999"})
        CHECK(directives_of(wrong).is_malformed);
}
