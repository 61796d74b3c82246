#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "http/http_server.hpp"
#include "support/fake_http_source.hpp"
#include "support/plain_http_client.hpp"
#include "unit/http/running_server.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace minuteswarm;
using namespace minuteswarm::http_test;
using namespace std::chrono_literals;

namespace {

/// Whole TS packets whose bytes tell where they stand.
Bytes packets(std::size_t count, std::uint8_t seed) {
    Bytes bytes(count * 188);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = i % 188 == 0 ? 0x47 : static_cast<std::uint8_t>(i * 31 + i / 188 + seed);
    return bytes;
}

std::string text_of(Bytes const& bytes) {
    return std::string{as_text(bytes)};
}

} // namespace

TEST_CASE("HTTP server gives all clients of the stream the same bytes, also of a growing chunk") {
    RunningServer server;
    auto const first = packets(100, 1);
    auto const second = packets(200, 2);
    server.change([&](FakeHttpSource& source) { source.add(1, first); });

    PlainHttpClient early{server.port()};
    PlainHttpClient late{server.port()};
    early.request("GET", "/stream.ts");
    late.request("GET", "/stream.ts");
    CHECK(early.read_head().field("Content-Type") == "video/mp2t");
    CHECK(late.read_head().status == 200);
    CHECK((early.read_chunked(first.size()) == text_of(first)));

    server.change([&](FakeHttpSource& source) {
        source.announce(2, second);
        source.arrive(2, 188 * 50);
    });
    CHECK((early.read_chunked(188 * 50) == text_of(second).substr(0, 188 * 50)));
    server.change([&](FakeHttpSource& source) {
        source.arrive(2, second.size());
        source.end(2);
    });
    CHECK((early.read_chunked(1'000'000) == text_of(second).substr(188 * 50)));
    CHECK((late.read_chunked(1'000'000) == text_of(first) + text_of(second)));
    CHECK(early.read_rest().empty());
    CHECK_FALSE(early.has_timed_out());
}

TEST_CASE("HTTP server doesn't let a slow client delay a fast one") {
    RunningServer server;
    auto const big = packets(60'000, 3); // 11 MB: more than all socket buffers hold
    server.change([&](FakeHttpSource& source) { source.add(1, packets(1, 0)); });

    PlainHttpClient slow{server.port(), 4096};
    slow.request("GET", "/stream.ts");
    CHECK(slow.read_head().status == 200);
    PlainHttpClient fast{server.port()};
    fast.request("GET", "/stream.ts");
    CHECK(fast.read_head().status == 200);
    server.change([&](FakeHttpSource& source) {
        source.add(2, big);
        source.end(2);
    });
    auto const body = fast.read_chunked(20'000'000);
    CHECK(body.size() == 188 + big.size());
    CHECK((body.substr(188) == text_of(big)));

    auto const clients = server.clients();
    REQUIRE_FALSE(clients.empty());
    auto const by_bytes = [](auto const& a, auto const& b) { return a.bytes < b.bytes; };
    auto const slowest = *std::ranges::min_element(clients, by_bytes);
    CHECK(slowest.output == "/stream.ts");
    CHECK(slowest.address.starts_with("127.0.0.1:"));
    CHECK(slowest.bytes > 0);
    CHECK(slowest.bytes < big.size());
}

TEST_CASE("HTTP server moves a slow client forward when retention drops what comes next") {
    RunningServer server;
    auto const big = packets(60'000, 3);
    auto const last = packets(100, 9);
    server.change([&](FakeHttpSource& source) { source.add(1, big); });
    PlainHttpClient slow{server.port(), 4096};
    slow.request("GET", "/stream.ts");
    CHECK(slow.read_head().status == 200);
    CHECK((slow.read_chunked(188 * 50) == text_of(big).substr(0, 188 * 50)));
    server.change([&](FakeHttpSource& source) {
        source.add(2, packets(10, 4));
        source.add(3, last);
        source.forget_before(3);
        source.end(3);
    });
    auto const body = slow.read_chunked(50'000'000);
    CHECK(body.size() < big.size());
    CHECK(body.size() > last.size());
    auto const ending =
        body.substr(body.size() - 188 * 10); // its clocks and counters go on from before
    CHECK(ending[0] == 0x47);
    CHECK((ending.substr(4, 184) == text_of(last).substr(188 * 90 + 4, 184)));
}

TEST_CASE("HTTP server gives players of a recording its start, also before all of it is there") {
    RunningServer server;
    auto const chunk = packets(20, 1);
    PlainHttpClient early{server.port()}; // asks before anything is there
    early.request("GET", "/stream.ts");
    server.change([&](FakeHttpSource& source) {
        source.set_recording();
        for (std::uint64_t number = 1; number <= 20; ++number)
            source.add(number, chunk);
    });
    auto const growing = server.get("/live.m3u8").body;
    CHECK(growing.find("#EXT-X-START:TIME-OFFSET=0\n") != std::string::npos);
    CHECK(growing.find("chunks/1.ts\n") != std::string::npos);
    CHECK(growing.find("chunks/20.ts\n") != std::string::npos);
    CHECK(growing.find("#EXT-X-ENDLIST") == std::string::npos);
    PlainHttpClient late{server.port()};
    late.request("GET", "/stream.ts");
    server.change([&](FakeHttpSource& source) { source.end(20); });
    CHECK(early.read_head().status == 200);
    CHECK(late.read_head().status == 200);
    CHECK(early.read_chunked(1'000'000).size() == 20 * chunk.size());
    CHECK(late.read_chunked(1'000'000).size() == 20 * chunk.size());
    auto const whole = server.get("/live.m3u8").body;
    CHECK(whole.find("chunks/1.ts\n") != std::string::npos);
    CHECK(whole.find("#EXT-X-ENDLIST") != std::string::npos);
}

TEST_CASE("HTTP server lists the newest chunks of a broadcast that ends while it is watched") {
    RunningServer server;
    server.change([&](FakeHttpSource& source) {
        for (std::uint64_t number = 1; number <= 20; ++number)
            source.add(number, packets(20, 1));
        source.end(20);
    });
    auto const text = server.get("/live.m3u8").body;
    CHECK(text.find("chunks/1.ts\n") == std::string::npos);
    CHECK(text.find("chunks/20.ts\n") != std::string::npos);
    CHECK(text.find("#EXT-X-START") == std::string::npos);
}

TEST_CASE("HTTP server keeps a stream's client waiting until there is something to play") {
    RunningServer server;
    PlainHttpClient client{server.port()};
    client.request("GET", "/stream.ts");
    PlainHttpClient player{server.port()};
    player.request("GET", "/live.m3u8");
    while (server.clients().empty())
        std::this_thread::yield();
    auto const bytes = packets(5, 1);
    server.change([&](FakeHttpSource& source) { source.add(1, bytes); });
    CHECK(client.read_head().status == 200);
    CHECK((client.read_chunked(bytes.size()) == text_of(bytes)));
    CHECK(player.read_response().body.find("chunks/1.ts\n") != std::string::npos);
}

TEST_CASE("HTTP server answers 503 when nothing comes for too long") {
    RunningServer server{0ms};
    for (auto const* target : {"/stream.ts", "/live.m3u8", "/dvr.m3u8"}) {
        auto const response = server.get(target);
        CAPTURE(target);
        CHECK(response.status == 503);
        CHECK_FALSE(response.field("Retry-After").empty());
    }
}

TEST_CASE("HTTP server delimits a stream by closing for HTTP/1.0") {
    RunningServer server;
    auto const bytes = packets(5, 1);
    server.change([&](FakeHttpSource& source) {
        source.add(1, bytes);
        source.end(1);
    });
    PlainHttpClient client{server.port()};
    client.send("GET /stream.ts HTTP/1.0\r\n\r\n");
    CHECK(client.read_head().field("Transfer-Encoding").empty());
    CHECK((client.read_rest() == text_of(bytes)));
}

TEST_CASE("HTTP server puts the title into an audio stream for who asks") {
    RunningServer server;
    auto const audio = packets(200, 1);
    server.change([&](FakeHttpSource& source) {
        source.set_container(Container::mp3);
        source.set_title("Night\r\nX-Evil: music");
        source.add(1, audio);
    });
    PlainHttpClient client{server.port()};
    client.request("GET", "/stream.mp3", "Icy-MetaData: 1\r\n");
    auto const head = client.read_head();
    CHECK(head.field("Content-Type") == "audio/mpeg");
    CHECK(head.field("icy-metaint") == "16000");
    CHECK(head.field("icy-name") == "Night  X-Evil: music");
    auto const body = client.read_chunked(16'100);
    CHECK((body.substr(0, 16'000) == text_of(audio).substr(0, 16'000)));
    CHECK(body.substr(16'001).starts_with("StreamTitle='Night  X-Evil: music';"));

    PlainHttpClient plain{server.port()};
    plain.request("GET", "/stream.mp3");
    CHECK(plain.read_head().field("icy-metaint").empty());
    CHECK((plain.read_chunked(audio.size()) == text_of(audio)));
}

TEST_CASE("HTTP server serves complete chunks, whole or in part") {
    RunningServer server;
    auto const bytes = packets(3000, 7);
    server.change([&](FakeHttpSource& source) {
        source.add(1, bytes);
        source.announce(2, bytes);
        source.arrive(2, 188);
    });
    auto const whole = server.get("/chunks/1.ts");
    CHECK(whole.status == 200);
    CHECK((whole.body == text_of(bytes)));
    CHECK(whole.field("Accept-Ranges") == "bytes");

    auto const part = server.get("/chunks/1.ts", "Range: bytes=188-200187\r\n");
    CHECK(part.status == 206);
    CHECK(part.field("Content-Range") == "bytes 188-200187/564000");
    CHECK((part.body == text_of(bytes).substr(188, 200'000)));

    CHECK(server.get("/chunks/1.ts", "Range: bytes=564000-\r\n").status == 416);
    CHECK(server.get("/chunks/2.ts").status == 404);
    CHECK(server.get("/chunks/3.ts").status == 404);
    auto const wrong = server.get("/chunks/1.mp3");
    CHECK(wrong.status == 404);
    CHECK(wrong.body == "this broadcast is at /chunks/1.ts\n");
}

TEST_CASE("HTTP server streams a chunk that was joined in its middle, and serves only whole ones") {
    RunningServer server;
    auto const whole = packets(100, 1);
    std::size_t const middle = 188 * 40;
    Bytes const rest(whole.begin() + static_cast<std::ptrdiff_t>(middle), whole.end());
    server.change([&](FakeHttpSource& source) {
        source.arrive_live(1, middle, rest);
        source.pass(std::chrono::seconds{5}); // one group is not yet a second of media
    });
    PlainHttpClient client{server.port()};
    client.request("GET", "/stream.ts");
    CHECK(client.read_head().status == 200);
    CHECK((client.read_chunked(rest.size()) == text_of(rest)));
    CHECK(server.get("/chunks/1.ts").status == 404);

    server.change([&](FakeHttpSource& source) {
        source.announce(1, whole); // its record
        source.arrive_live(2, 0, whole);
    });
    CHECK((client.read_chunked(whole.size()) == text_of(whole)));
    CHECK(server.get("/chunks/1.ts").status == 404);
    CHECK(server.get("/chunks/2.ts").status == 404);
    server.change([&](FakeHttpSource& source) {
        source.announce(2, whole);
        source.end(2);
    });
    CHECK((server.get("/chunks/2.ts").body == text_of(whole)));
    auto const playlist = server.get("/live.m3u8").body;
    CHECK(playlist.find("chunks/1.ts") == std::string::npos);
    CHECK(playlist.find("chunks/2.ts") != std::string::npos);
}

TEST_CASE("HTTP server answers one plain line when a chunk can't be read") {
    RunningServer server;
    server.change([&](FakeHttpSource& source) {
        source.add(1, packets(10, 1));
        source.fail_reads();
    });
    auto const response = server.get("/chunks/1.ts");
    CHECK(response.status == 503);
    CHECK(response.body == "the chunk could not be read\n");
}

TEST_CASE("HTTP server serves the page, status and metrics with the right types") {
    RunningServer server;
    CHECK(server.get("/").field("Content-Type") == "text/html; charset=utf-8");
    CHECK(server.get("/page.js").field("Content-Type") == "text/javascript");
    CHECK(server.get("/page.css").field("Content-Type") == "text/css");
    auto const status = server.get("/api/status");
    CHECK(status.field("Content-Type") == "application/json");
    CHECK(status.field("Cache-Control") == "no-store");
    CHECK(status.field("Access-Control-Allow-Origin").empty());
    CHECK(status.body == R"({"state":"live"})");
    CHECK(server.get("/metrics").body == "minuteswarm_up 1\n");
}

TEST_CASE("HTTP server answers several requests over one connection, HEAD without a body") {
    RunningServer server;
    server.change([](FakeHttpSource& source) { source.add(1, packets(10, 1)); });
    PlainHttpClient client{server.port()};
    client.request("GET", "/nowhere");
    auto const missing = client.read_response();
    CHECK(missing.status == 404);
    CHECK(missing.body == "not found\n");
    client.request("HEAD", "/chunks/1.ts");
    CHECK(client.read_head().field("Content-Length") == "1880");
    client.request("HEAD", "/api/status");
    CHECK(client.read_head().field("Content-Length") == "16");
    client.request("GET", "/chunks/1.ts");
    CHECK(client.read_response().body.size() == 1880);
    client.request("HEAD", "/stream.ts");
    CHECK(client.read_head().field("Content-Type") == "video/mp2t");
    CHECK(client.read_rest().empty());
}

TEST_CASE("HTTP server refuses what does not come from this computer's user") {
    RunningServer server;
    auto const answer_to = [&](std::string const& request) {
        PlainHttpClient client{server.port()};
        client.send(request);
        return client.read_response().status;
    };
    CHECK(answer_to("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n") == 403);
    CHECK(
        answer_to(concat("GET / HTTP/1.1\r\nHost: evil.example:", server.port(), "\r\n\r\n")) == 403
    );
    CHECK(answer_to("GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n") == 403);
    CHECK(answer_to("GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n") == 403);
    CHECK(answer_to("GET / HTTP/1.1\r\n\r\n") == 400);
    CHECK(answer_to("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n") == 400);
    CHECK(answer_to("GET / HTTP/1.0\r\n\r\n") == 200);
    CHECK(
        answer_to("POST /api/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}") ==
        405
    );
    CHECK(answer_to("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}") == 413);
    CHECK(answer_to("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n") == 405);
    CHECK(answer_to("\x16\x03\x01 this is TLS\r\n\r\n") == 400);
}

TEST_CASE("HTTP server refuses a request that is too large") {
    RunningServer server;
    std::string const name(limits::http_request, 'a');
    CHECK(server.get("/" + name).status == 431);
    CHECK(server.get("/", "X-Large: " + name + "\r\n").status == 431);
    CHECK(server.get("/", "X-Small: " + name.substr(0, 6000) + "\r\n").status == 200);
}

TEST_CASE("HTTP server tells clients beyond the limit so, and has room again when one leaves") {
    RunningServer server;
    std::vector<std::unique_ptr<PlainHttpClient>> clients;
    for (std::size_t i = 0; i < limits::http_clients; ++i) {
        clients.push_back(std::make_unique<PlainHttpClient>(server.port()));
        clients.back()->request("GET", "/api/status");
        REQUIRE(clients.back()->read_response().status == 200);
    }
    CHECK(server.get("/api/status").status == 503);
    clients.pop_back();
    auto status = 0;
    for (auto patience = 1000; status != 200 && patience > 0; --patience)
        status = server.get("/api/status").status;
    CHECK(status == 200);
}

TEST_CASE("HTTP server stops cleanly with clients connected") {
    RunningServer server;
    server.change([](FakeHttpSource& source) { source.add(1, packets(10, 1)); });
    PlainHttpClient watching{server.port()};
    PlainHttpClient waiting{server.port()};
    PlainHttpClient idle{server.port()};
    watching.request("GET", "/stream.ts");
    CHECK(watching.read_head().status == 200);
    CHECK(watching.read_chunked(1880).size() == 1880);
    waiting.send("GET /stre");
    server.stop();
    server.join(); // the loop has nothing left to do
    CHECK(watching.read_rest().empty());
    CHECK_FALSE(watching.has_timed_out());
    CHECK_FALSE(waiting.read_head().status);
    CHECK_FALSE(idle.read_head().status);
}

TEST_CASE("HTTP server forgets a client that leaves while nothing is sent") {
    RunningServer server;
    server.change([](FakeHttpSource& source) { source.add(1, packets(10, 1)); });
    {
        PlainHttpClient client{server.port()};
        client.request("GET", "/stream.ts");
        CHECK(client.read_head().status == 200);
        CHECK(client.read_chunked(1880).size() == 1880);
        CHECK(server.clients().size() == 1);
    }
    auto patience = 100'000;
    while (!server.clients().empty() && patience > 0)
        --patience;
    CHECK(patience > 0);
}

TEST_CASE(
    "HTTP server takes the next port when a default one is taken, and no other than an explicit one"
) {
    EventLoop loop;
    FakeHttpSource source{loop};
    HttpServer first{loop, source, {"127.0.0.1", 0, false, 1s}};
    auto const taken = first.local_endpoint().port();
    HttpServer second{loop, source, {"127.0.0.1", taken, true, 1s}};
    CHECK(second.local_endpoint().port() > taken);
    CHECK(second.url() == concat("http://127.0.0.1:", second.local_endpoint().port(), "/"));
    CHECK_THROWS_AS((HttpServer{loop, source, {"127.0.0.1", taken, false, 1s}}), StartError);
    CHECK_THROWS_AS((HttpServer{loop, source, {"no address", 0, false, 1s}}), StartError);
}
