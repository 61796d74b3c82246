#include "http/status.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;
using nlohmann::json;

TEST_CASE("Status has every documented field even when nothing is known", "[http]") {
    auto const parsed = json::parse(to_json(Status{}));
    for (auto const* field :
         {"role",    "version",  "channel",  "event",   "title",  "state", "uptime",
          "peers",   "rates",    "totals",   "gaps",    "chunks", "disk",  "newest_chunk",
          "startup", "latency",  "playhead", "on_time", "memory", "note",  "swarm_formation",
          "dropped", "buffered", "uplink",   "clients"}) {
        INFO(field);
        CHECK(parsed.contains(field));
    }
    CHECK(parsed["playhead"].is_null());
    CHECK(parsed["startup"]["link_to_feed"].is_null());
}

TEST_CASE("Status gives what it was given, in milliseconds, bytes and bits per second", "[http]") {
    Status status;
    status.role = "watch";
    status.newest_chunk = ChunkNumber{12};
    status.playhead = Timeline::Position{ChunkNumber{11}, 188};
    status.latency.now = 2500ms;
    status.startup.link_to_first_byte = 640ms;
    status.totals.up_payload = 77;
    status.peers.push_back(
        {.address = "192.0.2.1:6881",
         .client = "MS 0.1.0",
         .is_source = true,
         .down_rate = 8000,
         .up_rate = 0,
         .down = 1000,
         .up = 5}
    );
    auto const parsed = json::parse(to_json(status));
    CHECK(parsed["role"] == "watch");
    CHECK(parsed["newest_chunk"] == 12);
    CHECK(parsed["playhead"] == json{{"chunk", 11}, {"offset", 188}});
    CHECK(parsed["latency"]["now"] == 2500);
    CHECK(parsed["startup"]["link_to_first_byte"] == 640);
    CHECK(parsed["totals"]["up_payload"] == 77);
    CHECK(parsed["peers"][0]["address"] == "192.0.2.1:6881");
    CHECK(parsed["peers"][0]["source"] == true);
    CHECK(parsed["peers"][0]["down_rate"] == 8000);
    CHECK(parsed["peers"][0]["up"] == 5);
}

TEST_CASE("Status stays valid JSON whatever a title or a client's name holds", "[http]") {
    Status status;
    status.title = "quote \" back \\ line \n and not UTF-8 \xff\xfe";
    status.peers.push_back({.address = "192.0.2.1:1", .client = "\xc3\x28"});
    CHECK_NOTHROW(json::parse(to_json(status)));
}

TEST_CASE("Metrics name a type for each value and count in seconds", "[http]") {
    Status status;
    status.latency.now = 2500ms;
    status.gaps.count = 3;
    auto const text = to_metrics(status);
    CHECK(text.find("# TYPE minuteswarm_latency_seconds gauge\n") != std::string::npos);
    CHECK(text.find("\nminuteswarm_latency_seconds 2.5\n") != std::string::npos);
    CHECK(text.find("\nminuteswarm_gaps_total 3\n") != std::string::npos);
    CHECK(text.back() == '\n');
}

TEST_CASE("Metrics name the parent of each stripe that has one", "[http]") {
    Status status;
    status.edge.stripes = {{0, "192.0.2.1:6881", 3, {}}, {1, "", 0, {}}};
    auto const text = to_metrics(status);
    auto const line = "\nminuteswarm_edge_stripe_hops{stripe=\"0\",parent=\"192.0.2.1:6881\"} 3\n";
    CHECK(text.find(line) != std::string::npos);
    CHECK(text.find("stripe=\"1\"") == std::string::npos);
}
