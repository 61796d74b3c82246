#include "unit/http/live_chunks.hpp"
#include "unit/http/running_server.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;
using namespace minuteswarm::http_test;

namespace {

/// A server whose chunk 1 is complete and whose chunk 2 is in progress: 100 pictures, eleven parts.
struct LiveServer : RunningServer {
    LiveChunks live;

    LiveServer() {
        change([&](FakeHttpSource& source) { source.add(1, live.bytes(1, 0, 120)); });
        come(0, 30);
        come(30, 100);
        // Its parts are read in the loop's time.
        CHECK(get("/live.m3u8?_HLS_msn=0").status == 200);
        while (get("/live.m3u8").body.find("parts/2-10.ts") == std::string::npos) {
        }
    }
    /// Pictures of chunk 2.
    void come(std::size_t from, std::size_t to) {
        change([&](FakeHttpSource& source) {
            source.arrive_live(
                2,
                live.bytes(2, 0, 120).size() - live.bytes(2, from, 120).size(),
                live.bytes(2, from, to)
            );
        });
    }
};

std::string text_of(Bytes const& bytes) {
    return std::string{as_text(bytes)};
}

} // namespace

TEST_CASE("HTTP server holds a reload and a hinted part until they are there") {
    LiveServer server;
    PlainHttpClient reload{server.port()};
    PlainHttpClient hinted{server.port()};
    reload.request("GET", "/live.m3u8?_HLS_msn=1&_HLS_part=11");
    hinted.request("GET", "/parts/2-11.ts");
    server.come(100, 112);
    auto const playlist = reload.read_response();
    CHECK(playlist.status == 200);
    CHECK(playlist.body.find("URI=\"parts/2-11.ts\"") != std::string::npos);
    auto const part = hinted.read_response();
    CHECK(part.status == 200);
    CHECK((part.body == text_of(server.live.bytes(2, 99, 108))));
    CHECK((server.get("/parts/2.ts").body == text_of(server.live.bytes(2, 0, 108))));
    CHECK(
        (server.get("/parts/2-1.ts", "Range: bytes=188-\r\n").body ==
         text_of(server.live.bytes(2, 9, 18)).substr(188))
    );
}

TEST_CASE("HTTP server refuses what can't come soon") {
    LiveServer server;
    CHECK(server.get("/live.m3u8?_HLS_msn=3").status == 400);
    CHECK(server.get("/live.m3u8?_HLS_part=3").status == 400);
    CHECK(server.get("/parts/2-12.ts").status == 404);
    CHECK(server.get("/parts/3-0.ts").status == 404);
    CHECK(server.get("/parts/1-0.ts").status == 404);
    CHECK(server.get("/dvr.m3u8?_HLS_msn=300").body.find("PART") == std::string::npos);
}

TEST_CASE("HTTP server ends what it holds when the event ends") {
    LiveServer server;
    PlainHttpClient reload{server.port()};
    PlainHttpClient hinted{server.port()};
    reload.request("GET", "/live.m3u8?_HLS_msn=1&_HLS_part=11");
    hinted.request("GET", "/parts/2-11.ts");
    server.change([](FakeHttpSource& source) {
        source.end(2);
        source.pass(std::chrono::seconds{60});
    });
    CHECK(reload.read_response().body.ends_with("parts/2.ts\n#EXT-X-ENDLIST\n"));
    CHECK(hinted.read_response().status == 404);
}
