#include "edge/edge_parameters.hpp"
#include "edge/wire_size.hpp"
#include "swarm/live_edge.hpp"

#include <algorithm>

// What leaves a node of the live edge, and in which order.

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;

// What the connection itself may hold: enough to keep the line busy until the next look, little
// enough for control to overtake.
constexpr std::size_t socket_buffer = 16 * limits::KiB;
constexpr milliseconds flush_interval{5};

constexpr std::chrono::seconds fed_lately{2}; // more than the longest group

constexpr double most_debt_seconds = 1;

EdgeQueue::Class live_class(GroupHeader const& header, StripeIndex stripe) {
    return stripe.value < header.stripes ? EdgeQueue::Class::live : EdgeQueue::Class::parity;
}

} // namespace

std::optional<Block> LiveEdge::held(GroupNumber group, StripeIndex stripe) const {
    return back_buffer_.block(options_.parameters.run, group, stripe, MonotonicClock::now());
}

Backlog LiveEdge::backlog() const {
    auto const now = MonotonicClock::now();
    std::vector<Backlog::Neighbour> neighbours;
    for (auto const& [id, peer] : peers_) {
        auto const is_stuck = events_.unsent(id) >= socket_buffer;
        neighbours.push_back({&peer.queue, is_stuck, now - peer.pushed_at < fed_lately});
    }
    return Backlog{neighbours};
}

Duration LiveEdge::uplink_queue() const {
    return backlog().ahead(options_.uplink, MonotonicClock::now());
}

bool LiveEdge::is_busy() const {
    return is_narrow(options_.uplink) && policy_.slots() > 0 &&
           policy_.used_slots() >= policy_.slots();
}

/// The block as it leaves here; empty when this node has no place in the stripe's tree.
Bytes LiveEdge::frame_of(Block block) const {
    auto const path = policy_.path(block.stripe);
    block.path.assign(path.nodes().begin(), path.nodes().end());
    return block.path.empty() ? Bytes{} : encode(message_of(block));
}

void LiveEdge::forward(GroupNumber group, StripeIndex stripe) {
    auto const children = policy_.children(stripe);
    auto const block = children.empty() ? std::nullopt : held(group, stripe);
    if (!block) return;
    auto const urgency = policy_.is_making_up()                ? EdgeQueue::Class::urgent
                         : policy_.is_late(stripe, block->age) ? EdgeQueue::Class::catch_up
                                                               : live_class(block->header, stripe);
    for (auto const& child : children) {
        auto const peer = peers_.find(child.id);
        if (peer == peers_.end() || block->went_through(peer->second.node)) continue;
        push(child.id, urgency, *block);
    }
    flush();
}

void LiveEdge::push(NeighbourId to, EdgeQueue::Class urgency, Block const& block) {
    auto const peer = peers_.find(to);
    if (peer == peers_.end()) return;
    auto const bytes = block.payload->size() + block_overhead;
    peer->second.pushed_at = MonotonicClock::now();
    peer->second.queue.push(urgency, block.key(), bytes, peer->second.pushed_at);
}

bool LiveEdge::may_repeat(NeighbourId to, Block const& block) {
    auto const peer = peers_.find(to);
    auto const now = MonotonicClock::now();
    return peer != peers_.end() && peer->second.repeats.take(1, now) &&
           repeats_.take(static_cast<double>(block.payload->size()), now);
}

void LiveEdge::send(NeighbourId to, Peer& peer, Bytes message) {
    peer.queue.push_control(std::move(message));
    if (peer.queue.is_clogged()) return events_.close(to); // it does not read
    flush();
}

void LiveEdge::pace(std::size_t bytes, MonotonicTime now) {
    if (!pacer_) return;
    auto const framed = bytes + message_frame;
    pacer_->spend(static_cast<double>(wire_size(framed)), now);
    unpaced_ -= static_cast<double>(framed);
}

void LiveEdge::note_message(std::size_t bytes) {
    auto const size = acknowledgement_size(bytes);
    if (pacer_ && acknowledgements_.take(static_cast<double>(size), MonotonicClock::now()))
        spend_beside(size);
}

/// Whoever makes this node send much else holds the live edge up for no longer than that.
void LiveEdge::spend_beside(std::size_t bytes) {
    auto const most_debt = budget_.uplink() / 8 * most_debt_seconds;
    pacer_->spend(static_cast<double>(bytes), most_debt, MonotonicClock::now());
}

void LiveEdge::note_upload(std::uint64_t bytes) {
    if (!pacer_) return;
    std::size_t unsent = 0;
    for (auto const& [id, peer] : peers_)
        unsent += events_.unsent(id);
    // What was paced and has not left waits in a connection, or went with one.
    unpaced_ = std::max(unpaced_ + static_cast<double>(bytes), -static_cast<double>(unsent));
    if (unpaced_ <= 0) return;
    spend_beside(wire_size(static_cast<std::size_t>(std::exchange(unpaced_, 0))));
}

/// Sends what may leave now, control first, then the blocks of all queues in their common order.
/// Who does not take them does not hold up the others.
void LiveEdge::flush() {
    if (stopped_) return;
    auto const now = MonotonicClock::now();
    for (auto& [id, peer] : peers_) {
        while (!peer.queue.is_clogged() && events_.unsent(id) < 2 * socket_buffer) {
            auto const control = peer.queue.pop_control();
            if (!control) break;
            pace(control->size(), now);
            events_.send(id, *control);
        }
    }
    while (!pacer_ || !pacer_->is_empty(now)) {
        if (!send_next_block(now)) break;
    }
    auto const is_empty = [](auto const& entry) { return entry.second.queue.is_empty(); };
    if (std::ranges::all_of(peers_, is_empty) || std::exchange(is_flush_due_, true)) return;
    auto const wait = pacer_ ? pacer_->wait() : Duration{};
    flush_timer_.start_after(std::max<Duration>(wait, flush_interval), [this] {
        is_flush_due_ = false;
        flush();
    });
}

bool LiveEdge::send_next_block(MonotonicTime now) {
    std::optional<EdgeQueue::Waiting> first;
    decltype(peers_)::iterator to;
    for (auto at = peers_.begin(); at != peers_.end(); ++at) {
        auto const next = at->second.queue.next(now);
        if (!next || (first && !next->precedes(*first))) continue;
        if (events_.unsent(at->first) >= socket_buffer) continue;
        first = next;
        to = at;
    }
    if (!first) return false;
    to->second.queue.pop_block();
    auto block = held(first->key.group, first->key.stripe);
    auto const frame = block ? frame_of(std::move(*block)) : Bytes{};
    if (frame.empty()) return true; // it has gone, or this node's place in the tree has
    pace(frame.size(), now);
    events_.send(to->first, frame);
    return true;
}

} // namespace minuteswarm
