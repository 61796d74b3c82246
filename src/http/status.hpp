#pragma once

#include "base/delay_histogram.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "http/http_server.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace minuteswarm {

/// What `/api/status` and `/metrics` show: a snapshot, filled by a role. Every field that is not
/// known is 0, empty or null. README.md, "Status fields", defines each.
struct Status {
    struct Peer {
        std::string address;
        std::string client;
        std::string transport = "tcp";
        bool is_source = false;
        std::uint64_t down_rate = 0; ///< bits per second
        std::uint64_t up_rate = 0;
        std::uint64_t down = 0; ///< payload bytes from it in all
        std::uint64_t up = 0;
        std::vector<int> stripes_from{}; ///< of the live edge
        std::vector<int> stripes_to{};
    };
    /// How a stripe of the live edge comes here.
    struct Stripe {
        int stripe = 0;
        std::string parent;              ///< address; empty: none
        int hops = 0;                    ///< from the source
        std::chrono::milliseconds age{}; ///< of its blocks when they come
    };
    struct Edge {
        std::string_view state = "off"; ///< off, searching, fed, stepped_back or source
        std::uint64_t newest_group = 0;
        std::uint64_t groups = 0, recovered_by_parity = 0, wanted = 0;
        std::uint64_t blocks = 0, duplicates = 0, unexpected = 0, forged = 0;
        std::uint64_t data_bytes = 0, parity_bytes = 0;
        std::uint64_t slots = 0, slots_used = 0, preempted = 0;
        DelayHistogram reattached; ///< how long stripes that were missed had no parent
        std::vector<Stripe> stripes;

        [[nodiscard]] int hops() const; ///< the most of any stripe
    };

    std::string_view role;
    std::string channel;
    EventId event;
    std::string title;
    std::string state = "starting"; ///< starting, live, stalled or ended
    std::chrono::milliseconds uptime{};
    ChunkNumber newest_chunk;
    std::vector<Peer> peers;
    struct {
        std::uint64_t down = 0, up = 0; ///< bits per second
    } rates;
    struct {
        std::uint64_t down = 0, up = 0, down_payload = 0, up_payload = 0; ///< bytes
        std::uint64_t protocol_overhead = 0;
    } totals;
    struct {
        std::optional<std::chrono::milliseconds> link_to_feed, link_to_first_byte;
    } startup;
    struct {
        std::chrono::milliseconds now{}, target{}, p50{}, p99{};
    } latency;
    DelayHistogram delays; ///< from the publisher's clock to this one's
    std::optional<Timeline::Position> playhead;
    std::chrono::milliseconds buffered{}; ///< media released before it is due
    struct {
        std::uint64_t bytes = 0, late = 0;
    } on_time;
    struct {
        std::uint64_t count = 0;
        std::chrono::milliseconds media_time{};
    } gaps;
    struct {
        std::uint64_t from_edge = 0, from_swarm = 0, from_web = 0, repaired_bytes = 0;
        std::uint64_t held = 0, active = 0;
    } chunks;
    struct {
        std::uint64_t count = 0;
        std::chrono::milliseconds p50{}, p99{};
    } swarm_formation;
    Edge edge;
    struct {
        std::uint64_t bad_signature = 0, strikes = 0, bans = 0;
    } dropped;
    struct {
        std::uint64_t used = 0, limit = 0; ///< bytes; limit 0: none
        bool is_failing = false;
    } disk;
    std::uint64_t memory_chunks = 0; ///< chunk bytes in memory
    std::uint64_t uplink = 0;        ///< bits per second in force; 0: unlimited
    std::vector<HttpServer::Client> clients;
    std::string note; ///< one line for the user while something is wrong; else empty
};

/// The JSON object of `GET /api/status`.
std::string to_json(Status const& status);
/// The same in Prometheus' text format.
std::string to_metrics(Status const& status);

} // namespace minuteswarm
