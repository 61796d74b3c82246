#include "swarm/channel_swarm.hpp"
#include "swarm/libtorrent_access.hpp"
#include "swarm/named_endpoints.hpp"
#include "swarm/source_proof.hpp"

#include <algorithm>
#include <utility>

// How a channel's neighbourhood is kept filled.

namespace minuteswarm {
namespace {

constexpr std::chrono::milliseconds fill_pause{250};
constexpr Duration news_patience = std::chrono::seconds{10};
constexpr std::size_t dials_per_fill = 8;
constexpr std::size_t few_peers = 4; // to begin with

} // namespace

PeersMessage ChannelSwarm::peers_for(NeighbourId to) {
    auto message = neighbourhood_.peers_for(to, MonotonicClock::now(), random_);
    if (!edge_) return message;
    std::vector<PeerEndpoint> fed;
    for (auto& peer : message.peers) {
        for (auto const& [id, neighbour] : neighbourhood_.all()) {
            if (neighbour.endpoint != peer.endpoint) continue;
            peer.homes = edge_->homes_of(id);
            if (edge_->stripes_to(id) != 0) fed.push_back(peer.endpoint);
        }
    }
    // Of a narrow source everybody waits for its children: newcomers are to hold up others.
    if (leaves_telling() && message.peers.size() >= fed.size() + few_peers) {
        std::erase_if(message.peers, [&](auto const& peer) {
            return std::ranges::find(fed, peer.endpoint) != fed.end();
        });
    }
    return message;
}

void ChannelSwarm::handle(NeighbourId from, PeersMessage const& message) {
    auto const now = MonotonicClock::now();
    auto const teller = links_.find(from);
    auto const* neighbour = neighbourhood_.find(from);
    if (!neighbour) return;
    for (auto const& peer : message.peers) {
        if (!is_worth_dialling(peer.endpoint, neighbour->endpoint.address)) continue;
        auto const known = std::ranges::find(known_peers_, peer.endpoint, &KnownPeer::endpoint);
        if (known != known_peers_.end()) {
            known->homes = peer.homes;
            known->teller = from;
        } else if (teller != links_.end() && teller->second.peers.take(1, now)) {
            known_peers_.push_back({peer.endpoint, peer.homes, from});
        }
    }
    if (known_peers_.size() > limits::known_peers) {
        known_peers_.erase(
            known_peers_.begin(),
            known_peers_.end() - static_cast<std::ptrdiff_t>(limits::known_peers)
        );
    }
    // At the pace of ticks: messages may not make a node dial any number of addresses.
    is_fill_due_ = now - last_fill_ < fill_pause;
    if (is_fill_due_) return;
    last_fill_ = now;
    fill_neighbourhood();
}

void ChannelSwarm::handle(NeighbourId from, GetPeersMessage const&) {
    send(from, encode(peers_for(from)));
}

void ChannelSwarm::handle(NeighbourId from, ProofMessage const& message) {
    auto const* neighbour = neighbourhood_.find(from);
    if (!neighbour || neighbour->is_source) return; // once is enough
    auto const is_genuine =
        neighbour->claims_source &&
        is_source_proof(message.signature, options_.channel, neighbour->session, options_.session);
    if (!is_genuine) return strike(from);
    for (auto const other : neighbourhood_.note_source(from)) {
        if (auto const link = links_.find(other); link != links_.end())
            part_later(*link->second.connection);
    }
    enter_edge(from);
}

void ChannelSwarm::handle(NeighbourId from, RendezvousMessage const& message) {
    auto const link = links_.find(from);
    auto const* asker = neighbourhood_.find(from);
    if (link == links_.end() || !asker || asker->endpoint.port == 0) return;
    if (!link->second.introductions.take(1, MonotonicClock::now())) return;
    for (auto const& [id, neighbour] : neighbourhood_.all()) {
        if (id != from && neighbour.endpoint == message.peer)
            return send(id, encode(ConnectMessage{asker->endpoint}));
    }
}

void ChannelSwarm::handle(NeighbourId from, ConnectMessage const& message) {
    auto const link = links_.find(from);
    auto const* teller = neighbourhood_.find(from);
    if (link == links_.end() || !teller || !events_.let_in) return;
    if (!is_worth_dialling(message.peer, teller->endpoint.address)) return;
    if (!link->second.introductions.take(1, MonotonicClock::now())) return;
    if (is_neighbour(message.peer)) return;
    // libtorrent may end one that comes in while it dials the same peer. Other dials, such as to
    // the source, are nothing that a neighbour's word ends.
    if (rendezvous_.note_introduced(message.peer)) {
        for (auto const& connection : dials_to(message.peer))
            give_up_dial(connection);
    }
    events_.let_in(message.peer);
}

bool ChannelSwarm::welcome(PeerEndpoint const& dialled) {
    rendezvous_.forget(dialled);
    return neighbourhood_.welcome(dialled);
}

void ChannelSwarm::dial(KnownPeer& peer) {
    ++peer.dials;
    events_.dial(peer.endpoint);
    if (events_.dial_over_utp)
        rendezvous_.note_dialled(peer.endpoint, peer.teller, MonotonicClock::now(), random_);
}

void ChannelSwarm::pass_nats(MonotonicTime now) {
    for (auto const& step : rendezvous_.take_due(now)) {
        if (is_neighbour(step.peer)) continue;
        if (!links_.contains(step.introducer)) {
            rendezvous_.forget(step.peer);
            continue;
        }
        if (step.kind == Rendezvous::Step::Kind::ask)
            send(step.introducer, encode(RendezvousMessage{step.peer}));
        else
            events_.dial_over_utp(step.peer);
    }
}

void ChannelSwarm::fill_neighbourhood() {
    // With two thirds of those it wants, libtorrent's own dials are enough.
    if (neighbourhood_.all().size() >= neighbourhood_.room().wanted * 2 / 3) return;
    std::shuffle(known_peers_.begin(), known_peers_.end(), random_);
    std::size_t dialled = 0;
    for (auto& peer : known_peers_) {
        if (is_neighbour(peer.endpoint)) {
            peer.dials = 0;
        } else if (dialled < dials_per_fill) {
            dial(peer);
            ++dialled;
        }
    }
    std::erase_if(known_peers_, [](auto const& peer) { return peer.is_gone(); });
}

std::optional<Duration> ChannelSwarm::redial_interval(MonotonicTime now, unsigned dials) const {
    auto const* feed = feeds_.empty() ? nullptr : &feeds_.rbegin()->second;
    auto const* record = feed ? feed->newest(only_rendition) : nullptr;
    Duration still{};
    if (options_.role == Role::viewer && !is_over() && !(edge_ && edge_->is_fed())) {
        auto const expected = record ? record->value.duration * 5 / 2 : MediaTime{};
        auto const patience =
            std::max(std::chrono::duration_cast<Duration>(expected), news_patience);
        still = std::max<Duration>(now - last_news_ - (record ? patience : Duration{}), {});
    }
    return neighbourhood_.redial_interval(still, dials);
}

bool ChannelSwarm::is_neighbour(PeerEndpoint const& endpoint) const {
    return std::ranges::any_of(neighbourhood_.all(), [&](auto const& entry) {
        return entry.second.endpoint == endpoint;
    });
}

} // namespace minuteswarm
