#include "swarm/channel_swarm.hpp"

#include <algorithm>
#include <cassert>

// How the live edge goes over a channel's connections.

namespace minuteswarm {

void ChannelSwarm::begin_edge(EdgeOptions options) {
    assert(loop_.is_current() && options_.has_edge);
    if (edge_) edge_->stop();
    LiveEdge::Events events;
    events.send = [this](NeighbourId to, Bytes const& message) { send(to, message); };
    events.unsent = [this](NeighbourId of) {
        auto const link = links_.find(of);
        return link == links_.end() ? 0 : link->second.connection->unsent();
    };
    events.strike = [this](NeighbourId id) { strike(id); };
    events.close = [this](NeighbourId id) {
        auto const link = links_.find(id);
        if (link != links_.end()) part_later(*link->second.connection);
    };
    events.open = [this](StripeMask homes, PeerEndpoint const& endpoint) {
        open_edge_link(homes, endpoint);
    };
    events.source = [this] { return neighbourhood_.source(); };
    events.on_bytes = std::move(options.on_bytes);
    edge_ = std::make_unique<LiveEdge>(
        loop_,
        LiveEdge::Options{
            options_.channel,
            options.event,
            options.rendition,
            options.parameters,
            options.bitrate,
            options_.session,
            options_.role == Role::source,
            options.uplink,
            options.start_back},
        std::move(events)
    );
    neighbourhood_.set_room(edge_->policy().link_room());
    if (events_.on_edge) events_.on_edge();
    for (auto const& [id, link] : links_)
        enter_edge(id);
}

/// Who claims to be the source has no part in the live edge before it has proven it: its place
/// there is another than any other's.
void ChannelSwarm::enter_edge(NeighbourId id) {
    auto const* neighbour = neighbourhood_.find(id);
    if (!edge_ || !neighbour || !neighbour->has_edge) return;
    if (neighbour->claims_source && !neighbour->is_source) return;
    auto const is_directed =
        neighbour->is_outgoing && std::erase(directed_, neighbour->endpoint) > 0;
    edge_->enter(
        id,
        {neighbour->session,
         neighbour->endpoint,
         neighbour->is_source,
         is_directed,
         neighbour->delay}
    );
}

/// A peer whose homes are among these; any peer if there is none, the named one if there is one.
void ChannelSwarm::open_edge_link(StripeMask homes, PeerEndpoint const& endpoint) {
    if (endpoint.port != 0) {
        if (is_neighbour(endpoint) || !successors_.take(1, MonotonicClock::now())) return;
        events_.dial(endpoint);
        return;
    }
    std::erase_if(known_peers_, [](auto const& peer) { return peer.is_gone(); });
    std::shuffle(known_peers_.begin(), known_peers_.end(), random_);
    KnownPeer* best = nullptr;
    for (auto& peer : known_peers_) {
        if (is_neighbour(peer.endpoint)) peer.dials = 0;
        if ((homes != 0 && (peer.homes & homes) == 0) || is_neighbour(peer.endpoint)) continue;
        if (!best || peer.dials < best->dials) best = &peer;
    }
    // Behind a NAT those who came first may know nobody but each other.
    if (!best || best->dials > 0) ask_for_peers();
    if (!best) return;
    if (homes != 0) directed_.push_back(best->endpoint);
    if (directed_.size() > limits::edge_directed_links) directed_.erase(directed_.begin());
    dial(*best);
}

void ChannelSwarm::ask_for_peers() {
    if (links_.empty()) return;
    auto some = links_.begin();
    std::advance(some, static_cast<std::ptrdiff_t>(random_() % links_.size()));
    send(some->first, encode(GetPeersMessage{}));
}

void ChannelSwarm::handle(NeighbourId from, SubscriptionEnvelope const& message) {
    if (edge_) edge_->on_message(from, message);
}

void ChannelSwarm::handle(NeighbourId from, BlockMessage const& message) {
    if (edge_) edge_->on_block(from, message);
}

void ChannelSwarm::handle(NeighbourId from, WantMessage const& message) {
    if (edge_) edge_->on_want(from, message.list);
}

void ChannelSwarm::handle(NeighbourId from, MissingMessage const& message) {
    if (edge_) edge_->on_missing(from, message.list);
}

} // namespace minuteswarm
