#include "swarm/channel_swarm.hpp"

#include "swarm/libtorrent_access.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::chrono::milliseconds tick_interval{250};
constexpr std::chrono::seconds fill_interval{2};
constexpr std::size_t most_crossed = 32;
constexpr std::chrono::seconds silence{3};          // who is there says something each second
constexpr std::chrono::seconds thrifty_silence{10}; // or each five
constexpr int least_pause =
    10; // seconds before libtorrent dials whoever parted, twice that at most

// What one neighbour may send: a full reply to a joiner at once, and far more than the feed needs
// after.
constexpr double messages_per_second = 100;
constexpr double messages_burst = 400;
constexpr double bytes_per_second = 512.0 * limits::KiB;
constexpr double bytes_burst = 4.0 * limits::MiB;

// What one neighbour may ask for: the whole window at once, then a thousand times the pace of the
// feed. Counted by what it asks, before any work is done.
constexpr double records_per_second = 250;
constexpr double records_burst = 2.0 * limits::feed_window;

// What one neighbour may have checked: replies to a joiner at once, then 5 % of a core.
constexpr double statements_per_second = 500;
constexpr double statements_burst = 2.0 * limits::feed_window;

// Addresses that one neighbour may name: those of a farewell, then a few a minute.
constexpr double peers_per_second = 0.5;
constexpr double peers_burst = 2.0 * limits::peers_per_message;

// Introductions of one neighbour to others, or of others by it: all that it was named at once.
constexpr double introductions_per_second = 1;
constexpr double introductions_burst = limits::awaited_dials;

// Nodes that took this one's place at a parent: when the trees settle, one for each stripe.
constexpr double successors_per_second = 1;
constexpr double successors_burst = 10;

// Where a whole crowd waits for a busy source, one that dials it in addition makes all wait longer:
// the more so where the live edge takes most of a thin line.
constexpr std::chrono::seconds source_patience{1};
constexpr std::chrono::seconds thrifty_source_patience{10};
constexpr std::chrono::seconds thrifty_patience{2}; // before others than those that were dialled

// Neighbours that a source takes while its narrow uplink is full.
constexpr double newcomers_per_second = 0.25;
constexpr double newcomers_burst = 4;

} // namespace

ChannelSwarm::ChannelSwarm(EventLoop& loop, Options options, Events events)
    : loop_(loop)
    , options_(options)
    , events_(std::move(events))
    , random_(random_u64())
    , neighbourhood_({options.session, options.room})
    , newcomers_(newcomers_per_second, newcomers_burst)
    , successors_(successors_per_second, successors_burst)
    , last_news_(MonotonicClock::now())
    , timer_(loop.io()) {
    schedule_tick();
}

std::shared_ptr<lt::torrent_plugin> ChannelSwarm::make_plugin() {
    ChannelConnection::Receiver& receiver = *this;
    auto plugin = std::make_shared<ChannelPlugin>(receiver);
    plugin_ = plugin;
    return plugin;
}

std::vector<lt::peer_connection_handle> ChannelSwarm::dials_to(PeerEndpoint const& peer) const {
    auto const plugin = plugin_.lock();
    return plugin ? plugin->dials_to(peer) : std::vector<lt::peer_connection_handle>{};
}

void ChannelSwarm::stop() {
    stopped_ = true;
    if (edge_) edge_->stop();
    timer_.cancel();
}

Feed& ChannelSwarm::add_feed(EventId event) {
    return feeds_.try_emplace(event, options_.channel, event).first->second;
}

Feed* ChannelSwarm::feed(EventId event) {
    auto const found = feeds_.find(event);
    return found == feeds_.end() ? nullptr : &found->second;
}

Feed* ChannelSwarm::newest_feed() {
    return feeds_.empty() ? nullptr : &feeds_.rbegin()->second;
}

Bytes ChannelSwarm::own_handshake() {
    ChannelHandshake handshake;
    handshake.session = options_.session;
    handshake.port = events_.own_endpoint().port();
    handshake.claims_source = static_cast<bool>(events_.prove_source);
    handshake.has_edge = options_.has_edge;
    handshake.held = events_.held();
    if (!leaves_telling()) handshake.known = known_feed(); // it is what others ask for
    return encode(handshake);
}

void ChannelSwarm::on_open(ChannelConnection& connection, ByteView bytes) {
    assert(loop_.is_current());
    if (stopped_) return;
    auto const handshake = decode_handshake(bytes);
    if (!handshake || handshake->version > protocol_version) {
        if (handshake && !std::exchange(has_seen_newer_, true) && events_.on_newer_protocol)
            events_.on_newer_protocol();
        connection.close();
        return;
    }
    enter(connection, *handshake);
}

void ChannelSwarm::enter(ChannelConnection& connection, ChannelHandshake const& handshake) {
    Neighbour neighbour;
    neighbour.session = handshake.session;
    neighbour.endpoint = connection.remote();
    neighbour.endpoint.port = handshake.port;
    neighbour.client = connection.client();
    neighbour.claims_source = handshake.claims_source;
    neighbour.has_edge = handshake.has_edge;
    neighbour.delay = connection.half_round_trip();
    neighbour.is_outgoing = connection.is_outgoing();
    neighbour.is_over_utp = connection.is_over_utp();
    neighbour.held = handshake.held;

    auto const now = MonotonicClock::now();
    auto const id = connection.id();
    auto entry = neighbourhood_.enter(id, std::move(neighbour), now);
    // Who is turned away costs a narrow source a third of one that stays a few seconds.
    auto const is_newcomer = entry == Neighbourhood::Entry::accepted && !connection.is_outgoing();
    if (is_newcomer && leaves_telling() && !newcomers_.take(1, now)) {
        neighbourhood_.leave(id);
        entry = Neighbourhood::Entry::full;
    }
    if (entry == Neighbourhood::Entry::full) {
        connection.send(encode(peers_for(id)));
    }
    if (entry != Neighbourhood::Entry::accepted) {
        part_later(connection); // after the farewell has left
        return;
    }
    links_.insert_or_assign(
        id,
        Link{
            &connection,
            {messages_per_second, messages_burst},
            {bytes_per_second, bytes_burst},
            {records_per_second, records_burst},
            {statements_per_second, statements_burst},
            {peers_per_second, peers_burst},
            {introductions_per_second, introductions_burst}}
    );
    if (events_.prove_source) { // before all else: the receiver waits for it
        send(id, encode(ProofMessage{events_.prove_source(options_.session, handshake.session)}));
    }
    if (handshake.known) exchange_news(id, *handshake.known, now);
    send(id, encode(peers_for(id)));
    tell_joined(id);
    enter_edge(id);
    last_pull_ = {};
    pull(now);
}

/// Whoever comes while chunks are being fetched was not there to hear of it.
void ChannelSwarm::tell_joined(NeighbourId id) {
    for (auto const& chunk : events_.joining()) {
        auto const dials = neighbourhood_.should_dial_newcomer(id, chunk);
        auto const state =
            dials ? HaveMessage::State::joining_dialling : HaveMessage::State::joining;
        send(id, encode(HaveMessage{chunk.event, chunk.rendition, chunk.number, state}));
        if (dials) events_.on_have(chunk, neighbourhood_.find(id)->endpoint, true);
    }
}

/// Not from inside libtorrent's call, nor while neighbours are gone through.
void ChannelSwarm::part_later(ChannelConnection const& connection) {
    loop_.post([weak = std::weak_ptr{connection.handle().native_handle()}] {
        auto const alive = weak.lock();
        if (!alive) return;
        lt::peer_connection_handle{alive}.disconnect(
            lt::errors::no_error, lt::operation_t::bittorrent, lt::peer_connection_interface::normal
        );
    });
}

void ChannelSwarm::on_close(ChannelConnection& connection, bool have_crossed) {
    auto const id = connection.id();
    // Whom to dial again is said here. Those that dialled each other at once try again soon,
    // though: each side ends the one that comes in. And who fell silent is back when its line is.
    auto const address = connection.remote().address;
    auto const* neighbour = neighbourhood_.find(id);
    auto const least_silence = is_thrifty() ? thrifty_silence : silence;
    auto const is_silent =
        neighbour && MonotonicClock::now() - neighbour->last_heard > least_silence;
    auto const may_be_left = options_.role != Role::seeder && !is_silent;
    if (have_crossed) {
        crossed_.push_back(address);
        if (crossed_.size() > most_crossed) crossed_.pop_front();
    } else if (may_be_left && std::erase(crossed_, address) == 0) {
        leave_alone(connection.handle(), least_pause + static_cast<int>(random_() % least_pause));
    }
    neighbourhood_.leave(id);
    links_.erase(id);
    if (edge_) edge_->leave(id);
}

void ChannelSwarm::on_message(ChannelConnection& connection, ByteView bytes) {
    assert(loop_.is_current());
    auto const link = links_.find(connection.id());
    if (link == links_.end() || stopped_) return;
    auto const now = MonotonicClock::now();
    neighbourhood_.heard(connection.id(), now);
    // Blocks have a limit of their own: only those that were asked for are taken.
    auto const is_block = edge_ && edge_->is_neighbour(connection.id()) && !bytes.empty() &&
                          bytes[0] == static_cast<std::uint8_t>(MessageType::block);
    if (!is_block && (!link->second.messages.take(1, now) ||
                      !link->second.bytes.take(static_cast<double>(bytes.size()), now))) {
        strike(connection.id());
        return;
    }
    if (edge_) edge_->note_message(bytes.size());
    auto message = decode_message(bytes);
    if (!message) {
        strike(connection.id());
        return;
    }
    std::visit([&](auto const& body) { handle(connection.id(), body); }, *message);
}

void ChannelSwarm::strike(NeighbourId id) {
    ++counters_.strikes;
    if (!neighbourhood_.strike(id, MonotonicClock::now())) return;
    auto const link = links_.find(id);
    if (link != links_.end()) link->second.connection->close();
}

void ChannelSwarm::ban(PeerEndpoint const& endpoint) {
    for (auto const& [id, neighbour] : neighbourhood_.all()) {
        if (neighbour.endpoint != endpoint) continue;
        neighbourhood_.ban(endpoint.address, neighbour.session, MonotonicClock::now());
        links_.at(id).connection->close();
        return;
    }
}

void ChannelSwarm::send(NeighbourId to, Bytes const& message) {
    auto const link = links_.find(to);
    if (link == links_.end()) return;
    if (link->second.connection->is_clogged()) {
        part_later(*link->second.connection);
        return;
    }
    counters_.bytes_sent += message.size();
    link->second.connection->send(message);
}

void ChannelSwarm::announce_complete(ChunkId const& chunk, std::size_t receivers) {
    auto const message = encode(HaveMessage{
        chunk.event, chunk.rendition, chunk.number, HaveMessage::State::complete});
    for (auto const id : neighbourhood_.first_receivers(receivers))
        send(id, message);
}

std::vector<PeerEndpoint> ChannelSwarm::join(ChunkId const& chunk) {
    HaveMessage have{chunk.event, chunk.rendition, chunk.number, HaveMessage::State::joining};
    auto const plain = encode(have);
    have.state = HaveMessage::State::joining_dialling;
    auto const dialling = encode(have);

    auto const targets = neighbourhood_.dial_targets(chunk, chunk_peers(), random_);
    std::vector<PeerEndpoint> endpoints;
    for (auto const& [id, neighbour] : neighbourhood_.all()) {
        auto const dials = std::find(targets.begin(), targets.end(), id) != targets.end();
        if (dials) endpoints.push_back(neighbour.endpoint);
        auto const is_told = dials || (!is_thrifty() && !neighbour.is_source);
        if (is_told) send(id, dials ? dialling : plain);
    }
    return endpoints;
}

bool ChannelSwarm::is_thrifty() const {
    return edge_ && !has_many(edge_->parameters().stripes) && !is_over();
}

bool ChannelSwarm::is_over() const {
    return !feeds_.empty() && feeds_.rbegin()->second.end();
}

std::vector<PeerEndpoint> ChannelSwarm::holders(ChunkId const& chunk, Duration stuck) {
    auto const is_few = is_thrifty();
    if (is_few && stuck % thrifty_patience != Duration{}) return {};
    auto const with_source = stuck >= (is_few ? thrifty_source_patience : source_patience);
    std::vector<PeerEndpoint> sources;
    std::vector<PeerEndpoint> others;
    for (auto const id : neighbourhood_.holders(chunk, with_source)) {
        auto const& neighbour = *neighbourhood_.find(id);
        (neighbour.is_source ? sources : others).push_back(neighbour.endpoint);
    }
    std::ranges::shuffle(others, random_);
    if (is_few && others.size() > chunk_peers()) others.resize(chunk_peers());
    others.insert(others.end(), sources.begin(), sources.end());
    return others;
}

void ChannelSwarm::handle(NeighbourId from, HaveMessage const& have) {
    neighbourhood_.on_have(from, have);
    ChunkId const chunk{have.event, have.rendition, have.number};
    auto const* neighbour = neighbourhood_.find(from);
    if (neighbour && events_.on_have) {
        auto const may_dial = !(is_thrifty() && neighbour->is_source); // see holders
        auto const dial = may_dial && neighbourhood_.should_dial_later(from, have.state);
        events_.on_have(chunk, neighbour->endpoint, dial);
    }
    auto* const known = feed(have.event);
    auto const newest = known ? known->newest(have.rendition) : nullptr;
    auto const is_new = known ? !newest || have.number > newest->value.number
                              : feeds_.empty() || have.event > feeds_.rbegin()->first;
    if (!is_new || options_.role == Role::source) return;
    if (edge_ && edge_->event() == have.event && has(edge_->policy().flowing(), first_stripe)) {
        auto const next = newest ? newest->value.number.next() : ChunkNumber{1};
        if (!awaited_ && have.number == next) awaited_ = {chunk, MonotonicClock::now()};
    } else {
        send(from, encode(GetRecordsMessage{have.event, have.rendition, have.number, 1}));
    }
}

void ChannelSwarm::schedule_tick() {
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code const& error) {
        if (error || stopped_) return;
        tick();
        schedule_tick();
    });
}

void ChannelSwarm::tick() {
    auto const now = MonotonicClock::now();
    if (edge_) neighbourhood_.set_room(edge_->policy().link_room());
    pull(now);
    ask_for_awaited(now);
    pass_nats(now);
    if (is_fill_due_ || now - last_fill_ >= fill_interval) {
        is_fill_due_ = false;
        last_fill_ = now;
        fill_neighbourhood();
    }
}

} // namespace minuteswarm
