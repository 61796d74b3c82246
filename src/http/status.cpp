#include "http/status.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace minuteswarm {
namespace {

using Json = nlohmann::ordered_json;

Json as_json(std::optional<std::chrono::milliseconds> const& time) {
    return time ? Json(time->count()) : Json(nullptr);
}

Json as_json(Status::Peer const& peer) {
    return {
        {"address", peer.address},
        {"client", peer.client},
        {"transport", peer.transport},
        {"source", peer.is_source},
        {"down_rate", peer.down_rate},
        {"up_rate", peer.up_rate},
        {"down", peer.down},
        {"up", peer.up},
        {"stripes_from", peer.stripes_from},
        {"stripes_to", peer.stripes_to},
    };
}

Json as_json(std::optional<Timeline::Position> const& position) {
    if (!position) return nullptr;
    return {{"chunk", position->chunk.value}, {"offset", position->offset}};
}

Json as_json(Status::Edge const& edge) {
    Json stripes = Json::array();
    for (auto const& one : edge.stripes) {
        stripes.push_back(
            {{"stripe", one.stripe},
             {"parent", one.parent},
             {"hops", one.hops},
             {"age", one.age.count()}}
        );
    }
    return {
        {"state", edge.state},
        {"newest_group", edge.newest_group},
        {"groups", edge.groups},
        {"recovered_by_parity", edge.recovered_by_parity},
        {"wanted", edge.wanted},
        {"blocks", edge.blocks},
        {"duplicates", edge.duplicates},
        {"unexpected", edge.unexpected},
        {"forged", edge.forged},
        {"data_bytes", edge.data_bytes},
        {"parity_bytes", edge.parity_bytes},
        {"hops", edge.hops()},
        {"reattach_p99", edge.reattached.percentile(0.99).count()},
        {"slots", edge.slots},
        {"slots_used", edge.slots_used},
        {"preempted", edge.preempted},
        {"stripes", stripes},
    };
}

Json media_part(Status const& status) {
    return {
        {"startup",
         {{"link_to_feed", as_json(status.startup.link_to_feed)},
          {"link_to_first_byte", as_json(status.startup.link_to_first_byte)}}},
        {"latency",
         {{"now", status.latency.now.count()},
          {"target", status.latency.target.count()},
          {"p50", status.latency.p50.count()},
          {"p99", status.latency.p99.count()}}},
        {"delay",
         {{"p50", status.delays.percentile(0.5).count()},
          {"p99", status.delays.percentile(0.99).count()}}},
        {"playhead", as_json(status.playhead)},
        {"buffered", status.buffered.count()},
        {"on_time", {{"bytes", status.on_time.bytes}, {"late", status.on_time.late}}},
        {"gaps", {{"count", status.gaps.count}, {"media_time", status.gaps.media_time.count()}}},
    };
}

Json swarm_part(Status const& status) {
    return {
        {"chunks",
         {{"from_edge", status.chunks.from_edge},
          {"from_swarm", status.chunks.from_swarm},
          {"from_web", status.chunks.from_web},
          {"repaired_bytes", status.chunks.repaired_bytes},
          {"held", status.chunks.held},
          {"active", status.chunks.active}}},
        {"swarm_formation",
         {{"count", status.swarm_formation.count},
          {"p50", status.swarm_formation.p50.count()},
          {"p99", status.swarm_formation.p99.count()}}},
        {"edge", as_json(status.edge)},
        {"dropped",
         {{"bad_signature", status.dropped.bad_signature},
          {"strikes", status.dropped.strikes},
          {"bans", status.dropped.bans}}},
        {"disk",
         {{"used", status.disk.used},
          {"limit", status.disk.limit},
          {"failing", status.disk.is_failing}}},
        {"memory", {{"chunks", status.memory_chunks}}},
        {"uplink", status.uplink},
    };
}

/// Prometheus' histogram.
std::string to_metrics(std::string_view name, DelayHistogram const& delays) {
    auto text = concat("# TYPE ", name, " histogram\n");
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < DelayHistogram::bounds_ms.size(); ++i) {
        below += delays.count(i);
        text += concat(
            name, "_bucket{le=\"", DelayHistogram::bounds_ms[i] / 1000.0, "\"} ", below, '\n'
        );
    }
    text += concat(name, "_bucket{le=\"+Inf\"} ", delays.total(), '\n');
    text += concat(name, "_sum ", delays.sum_seconds(), '\n');
    return text + concat(name, "_count ", delays.total(), '\n');
}

/// From whom each stripe comes, and over how many hops.
std::string to_metrics(std::vector<Status::Stripe> const& stripes) {
    constexpr std::string_view name = "minuteswarm_edge_stripe_hops";
    auto text = concat("# TYPE ", name, " gauge\n");
    for (auto const& one : stripes) {
        if (one.parent.empty()) continue;
        text += concat(
            name, "{stripe=\"", one.stripe, "\",parent=\"", one.parent, "\"} ", one.hops, '\n'
        );
    }
    return text;
}

} // namespace

int Status::Edge::hops() const {
    int most = 0;
    for (auto const& one : stripes)
        most = std::max(most, one.hops);
    return most;
}

std::string to_json(Status const& status) {
    Json peers = Json::array();
    for (auto const& peer : status.peers)
        peers.push_back(as_json(peer));
    Json clients = Json::array();
    for (auto const& client : status.clients) {
        clients.push_back(
            {{"output", client.output}, {"address", client.address}, {"bytes", client.bytes}}
        );
    }
    Json json = {
        {"role", status.role},
        {"version", MINUTESWARM_VERSION},
        {"channel", status.channel},
        {"event", status.event.value},
        {"title", status.title},
        {"state", status.state},
        {"uptime", status.uptime.count()},
        {"newest_chunk", status.newest_chunk.value},
        {"peers", peers},
        {"rates", {{"down", status.rates.down}, {"up", status.rates.up}}},
        {"totals",
         {{"down", status.totals.down},
          {"up", status.totals.up},
          {"down_payload", status.totals.down_payload},
          {"up_payload", status.totals.up_payload},
          {"protocol_overhead", status.totals.protocol_overhead}}},
    };
    json.update(media_part(status));
    json.update(swarm_part(status));
    json["clients"] = clients;
    json["note"] = status.note;
    // Titles and client names are foreign text: what is not UTF-8 is replaced, not thrown over.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_metrics(Status const& status) {
    std::string text;
    auto const add = [&](std::string_view name, std::string_view kind, double value) {
        text += concat(
            "# TYPE minuteswarm_", name, ' ', kind, "\nminuteswarm_", name, ' ', value, '\n'
        );
    };
    auto const gauge = [&](std::string_view name, auto value) {
        add(name, "gauge", static_cast<double>(value));
    };
    auto const counter = [&](std::string_view name, auto value) {
        add(name, "counter", static_cast<double>(value));
    };
    auto const seconds = [](std::chrono::milliseconds time) {
        return std::chrono::duration<double>(time).count();
    };
    gauge("uptime_seconds", seconds(status.uptime));
    gauge("newest_chunk", status.newest_chunk.value);
    gauge("peers", status.peers.size());
    gauge("down_bits_per_second", status.rates.down);
    gauge("up_bits_per_second", status.rates.up);
    counter("down_bytes_total", status.totals.down);
    counter("up_bytes_total", status.totals.up);
    counter("down_payload_bytes_total", status.totals.down_payload);
    counter("up_payload_bytes_total", status.totals.up_payload);
    counter("protocol_overhead_bytes_total", status.totals.protocol_overhead);
    gauge("latency_seconds", seconds(status.latency.now));
    gauge("latency_target_seconds", seconds(status.latency.target));
    gauge("buffered_seconds", seconds(status.buffered));
    counter("on_time_bytes_total", status.on_time.bytes);
    counter("late_bytes_total", status.on_time.late);
    counter("gaps_total", status.gaps.count);
    counter("gap_media_seconds_total", seconds(status.gaps.media_time));
    counter("chunks_from_edge_total", status.chunks.from_edge);
    counter("chunks_from_swarm_total", status.chunks.from_swarm);
    counter("chunks_from_web_total", status.chunks.from_web);
    counter("repaired_bytes_total", status.chunks.repaired_bytes);
    gauge("chunks_held", status.chunks.held);
    gauge("chunk_torrents_active", status.chunks.active);
    counter("swarm_formations_total", status.swarm_formation.count);
    gauge("swarm_formation_p50_seconds", seconds(status.swarm_formation.p50));
    gauge("swarm_formation_p99_seconds", seconds(status.swarm_formation.p99));
    counter("bad_signatures_total", status.dropped.bad_signature);
    counter("strikes_total", status.dropped.strikes);
    gauge("bans", status.dropped.bans);
    gauge("disk_used_bytes", status.disk.used);
    gauge("disk_limit_bytes", status.disk.limit);
    gauge("disk_failing", status.disk.is_failing ? 1 : 0);
    gauge("chunk_memory_bytes", status.memory_chunks);
    gauge("uplink_bits_per_second", status.uplink);
    gauge("clients", status.clients.size());
    counter("edge_groups_total", status.edge.groups);
    counter("edge_recovered_by_parity_total", status.edge.recovered_by_parity);
    counter("edge_wanted_total", status.edge.wanted);
    counter("edge_blocks_total", status.edge.blocks);
    counter("edge_duplicates_total", status.edge.duplicates);
    counter("edge_unexpected_total", status.edge.unexpected);
    counter("edge_forged_total", status.edge.forged);
    counter("edge_preempted_total", status.edge.preempted);
    counter("edge_data_bytes_total", status.edge.data_bytes);
    counter("edge_parity_bytes_total", status.edge.parity_bytes);
    gauge("edge_hops", status.edge.hops());
    gauge("edge_slots", status.edge.slots);
    gauge("edge_slots_used", status.edge.slots_used);
    text += to_metrics(status.edge.stripes);
    text += to_metrics("minuteswarm_edge_reattach_seconds", status.edge.reattached);
    return text + to_metrics("minuteswarm_release_delay_seconds", status.delays); // a byte each
}

} // namespace minuteswarm
