#include "swarm_status.hpp"

namespace minuteswarm {
namespace {

constexpr std::uint64_t bits_per_byte = 8;

Status::Peer make_peer(Neighbour const& neighbour, Swarm const& swarm) {
    Status::Peer peer;
    peer.address = to_text(neighbour.endpoint);
    peer.client = neighbour.client;
    peer.is_source = neighbour.is_source;
    auto const traffic = swarm.traffic().find(neighbour.endpoint);
    if (traffic == swarm.traffic().end()) return peer;
    peer.down = traffic->second.down;
    peer.up = traffic->second.up;
    peer.down_rate = traffic->second.down_rate * bits_per_byte;
    peer.up_rate = traffic->second.up_rate * bits_per_byte;
    return peer;
}

} // namespace

void fill_swarm_status(Status& status, Swarm const& swarm, ChannelSwarm const& channel) {
    for (auto const& [id, neighbour] : channel.neighbourhood().all()) {
        status.peers.push_back(make_peer(neighbour, swarm));
    }
    auto const& totals = swarm.totals();
    status.rates.down = totals.down_rate * bits_per_byte;
    status.rates.up = totals.up_rate * bits_per_byte;
    status.totals.down = totals.down;
    status.totals.up = totals.up;
    status.totals.down_payload = totals.down_payload;
    status.totals.up_payload = totals.up_payload;
    status.totals.protocol_overhead =
        totals.down + totals.up - totals.down_payload - totals.up_payload;
    status.chunks.active = swarm.chunks().active();
    status.swarm_formation.count = swarm.formation().count();
    status.swarm_formation.p50 = swarm.formation().percentile(0.5);
    status.swarm_formation.p99 = swarm.formation().percentile(0.99);
    status.dropped.bad_signature = channel.counters().bad_signature;
    status.dropped.strikes = channel.counters().strikes;
    status.dropped.bans = channel.neighbourhood().bans().count();
    status.uplink = swarm.uplink();
}

} // namespace minuteswarm
