#include "swarm_status.hpp"

#include "swarm/libtorrent_access.hpp"

namespace minuteswarm {
namespace {

constexpr std::uint64_t bits_per_byte = 8;

Status::Peer make_peer(Neighbour const& neighbour, Swarm const& swarm) {
    Status::Peer peer;
    peer.address = to_text(neighbour.endpoint);
    peer.client = neighbour.client;
    peer.is_source = neighbour.is_source;
    peer.transport = neighbour.is_over_utp ? "utp" : "tcp";
    auto const traffic = swarm.traffic().find(neighbour.endpoint);
    if (traffic == swarm.traffic().end()) return peer;
    peer.down = traffic->second.down;
    peer.up = traffic->second.up;
    peer.down_rate = traffic->second.down_rate * bits_per_byte;
    peer.up_rate = traffic->second.up_rate * bits_per_byte;
    return peer;
}

std::vector<int> indices(StripeMask mask) {
    std::vector<int> found;
    for (StripeIndex s; s.value < limits::edge_stripes; ++s) {
        if (has(mask, s)) found.push_back(s.value);
    }
    return found;
}

std::string_view state_of(LiveEdge const& edge) {
    if (edge.is_source()) return "source";
    if (edge.policy().is_stepped_back()) return "stepped_back";
    return edge.is_fed() ? "fed" : "searching";
}

void fill_edge_status(Status& status, LiveEdge const& edge, Neighbourhood const& neighbours) {
    auto const& counters = edge.counters();
    auto const& policy = edge.policy();
    auto& to = status.edge;
    to.state = state_of(edge);
    to.newest_group = edge.newest_group().value;
    to.groups = counters.groups;
    to.recovered_by_parity = counters.recovered;
    to.wanted = counters.wanted;
    to.blocks = counters.blocks;
    to.duplicates = counters.duplicates;
    to.unexpected = counters.unexpected;
    to.forged = counters.forged;
    to.data_bytes = counters.data_bytes;
    to.parity_bytes = counters.parity_bytes;
    to.slots = policy.slots();
    to.slots_used = policy.used_slots();
    to.preempted = policy.preempted();
    to.reattached = edge.reattached();
    if (edge.is_source()) return;
    for (StripeIndex s; s.value < edge.stripes(); ++s) {
        Status::Stripe stripe;
        stripe.stripe = s.value;
        auto const parent = policy.parents().parent(s);
        auto const* neighbour = parent ? neighbours.find(*parent) : nullptr;
        if (neighbour) {
            stripe.parent = to_text(neighbour->endpoint);
            stripe.hops = static_cast<int>(policy.path(s).size()) - 1;
            stripe.age =
                std::chrono::duration_cast<std::chrono::milliseconds>(policy.parents().age(s));
        }
        to.stripes.push_back(std::move(stripe));
    }
}

} // namespace

void fill_swarm_status(Status& status, Swarm const& swarm, ChannelSwarm const& channel) {
    for (auto const& [id, neighbour] : channel.neighbourhood().all()) {
        status.peers.push_back(make_peer(neighbour, swarm));
        if (auto const* edge = channel.edge()) {
            status.peers.back().stripes_from = indices(edge->stripes_from(id));
            status.peers.back().stripes_to = indices(edge->stripes_to(id));
        }
    }
    if (auto const* edge = channel.edge()) {
        fill_edge_status(status, *edge, channel.neighbourhood());
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
