#include "swarm/live_edge.hpp"

#include "base/signature.hpp"
#include "edge/striper.hpp"
#include "swarm/named_endpoints.hpp"

#include <algorithm>
#include <cassert>

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The session has no limit of its own while this one holds: what it held up nothing could overtake.
constexpr double paced_burst_seconds = 0.01;

constexpr seconds expected_after_end{2}; // blocks that were under way

constexpr double requests_per_second = 20;
constexpr double requests_burst = 300; // a joiner asks for 64 groups three times
constexpr double unexpected_per_second = 2;
constexpr double unexpected_burst = 100;

// Copies come while two parents overlap, and from a run that is over: seconds of all stripes.
constexpr double useless_per_second = 50;
constexpr double useless_burst = 500;

// What is asked for again: of one neighbour twice what a newcomer may need, then what repair asks
// for; of all together what the uplink carries in a few seconds, then its share for repair.
constexpr double repeats_per_second = 2.0 * limits::edge_wants;
constexpr double repeats_burst_groups = SubscribeMessage::groups;
constexpr double repeats_share = 0.25;
constexpr double repeats_burst_seconds = 3;

constexpr double acknowledgements_share = 1.0 / 3; // of the uplink, of what comes

SubscriptionOptions policy_options(LiveEdge::Options const& options) {
    SubscriptionOptions result;
    result.source = source_node(options.parameters.run);
    result.self = options.is_source ? result.source : node_of(options.session);
    result.stripes = options.parameters.stripes;
    result.parity = options.parameters.parity;
    result.span = milliseconds{options.parameters.span_ms};
    result.is_uplink_known = options.uplink > 0;
    if (options.bitrate > 0) result.bitrate = options.bitrate;
    result.start_back = options.start_back;
    return result;
}

std::optional<TokenBucket> pacer(UplinkBudget const& budget, bool is_uplink_known) {
    if (!is_uplink_known) return std::nullopt;
    auto const rate = budget.uplink() / 8;
    return TokenBucket{rate, rate * paced_burst_seconds};
}

TokenBucket acknowledgements_within(double uplink) {
    auto const rate = acknowledgements_share * uplink / 8;
    return {rate, rate};
}

TokenBucket repeats_within(double uplink) {
    return {repeats_share * uplink / 8, repeats_burst_seconds * uplink / 8};
}

} // namespace

NodeId node_of(SessionId const& session) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = value << 8U | session.bytes[i];
    return {value};
}

LiveEdge::LiveEdge(EventLoop& loop, Options options, Events events)
    : loop_(loop)
    , options_(options)
    , events_(std::move(events))
    , random_(random_u64())
    , code_(options.parameters.stripes, options.parameters.parity)
    , budget_({options.parameters, options.bitrate, options.uplink, options.is_source})
    , repeats_(repeats_within(budget_.uplink()))
    , back_buffer_({options.event, options.rendition})
    , seal_checks_(loop, options.channel, [this](auto entries) { on_checked(std::move(entries)); })
    , policy_(policy_options(options), random_, MonotonicClock::now())
    , pacer_(pacer(budget_, options.uplink > 0))
    , acknowledgements_(acknowledgements_within(budget_.uplink()))
    , tick_timer_(loop)
    , flush_timer_(loop) {
    update_slots();
    schedule_tick();
}

void LiveEdge::stop() {
    stopped_ = true;
    tick_timer_.cancel();
    flush_timer_.cancel();
}

// Uplink

/// Not each time: the policy has given up slots that turned out to be too many.
void LiveEdge::update_slots() {
    auto const found = budget_.slots(slots_);
    if (found != std::exchange(slots_, found)) policy_.set_slots(found);
}

std::uint64_t LiveEdge::left_for_chunks() const {
    auto const has_waiting = std::ranges::any_of(peers_, [](auto const& entry) {
        return !entry.second.queue.is_empty();
    });
    return static_cast<std::uint64_t>(budget_.left_for_chunks(policy_.used_slots(), has_waiting));
}

// Neighbours

void LiveEdge::enter(NeighbourId id, Neighbour const& neighbour) {
    assert(loop_.is_current());
    auto const node =
        neighbour.is_source ? source_node(options_.parameters.run) : node_of(neighbour.session);
    auto const [place, is_new] = peers_.try_emplace(
        id,
        Peer{
            neighbour,
            node,
            false,
            EdgeQueue{{}},
            {requests_per_second, requests_burst},
            {unexpected_per_second, unexpected_burst},
            {useless_per_second, useless_burst},
            {repeats_per_second, repeats_burst_groups * stripes()},
            {},
            {}}
    );
    if (!is_new) return;
    introduce(id, place->second);
    act();
}

void LiveEdge::introduce(NeighbourId id, Peer& peer) {
    EdgeNeighbour const known{
        peer.node, peer.neighbour.delay, peer.neighbour.is_source, peer.neighbour.is_directed};
    policy_.enter(id, known, MonotonicClock::now());
}

void LiveEdge::leave(NeighbourId id) {
    if (peers_.erase(id) == 0) return;
    policy_.leave(id, MonotonicClock::now());
    act();
}

StripeMask LiveEdge::homes_of(NeighbourId id) const {
    return policy_.homes_of(id);
}

StripeMask LiveEdge::stripes_from(NeighbourId id) const {
    StripeMask found = 0;
    for (StripeIndex s; s.value < stripes(); ++s) {
        if (policy_.parents().parent(s) == id) found |= mask_of(s);
    }
    return found;
}

StripeMask LiveEdge::stripes_to(NeighbourId id) const {
    StripeMask found = 0;
    for (StripeIndex s; s.value < stripes(); ++s) {
        if (policy_.pushes(s, id)) found |= mask_of(s);
    }
    return found;
}

Neighbourhood::Tree LiveEdge::tree(StripeIndex stripe) const {
    Neighbourhood::Tree tree;
    for (auto const& [id, peer] : peers_) {
        if (policy_.pushes(stripe, id))
            tree.children.insert(id);
        else if (has(policy_.flowing_of(id), stripe))
            tree.others.insert(id);
    }
    return tree;
}

GroupNumber LiveEdge::newest_group() const {
    auto const newest = back_buffer_.newest();
    return newest ? newest->group : GroupNumber{};
}

bool LiveEdge::is_fed() const {
    return !policy_.is_stepped_back() && count(policy_.flowing()) >= options_.parameters.stripes;
}

// What comes

void LiveEdge::on_message(NeighbourId from, SubscriptionEnvelope const& envelope) {
    auto const found = peers_.find(from);
    if (found == peers_.end() || envelope.source != source_node(options_.parameters.run)) return;
    auto& peer = found->second;
    auto const now = MonotonicClock::now();
    if (std::holds_alternative<SubscribeMessage>(envelope.message) && !peer.requests.take(1, now)) {
        events_.strike(from);
        return;
    }
    if (!std::exchange(peer.is_heard, true)) {
        // What it was told before may have come before it knew of this run.
        policy_.leave(from, now);
        introduce(from, peer);
    }
    policy_.on_uplink(uplink_queue());
    auto message = envelope.message;
    if (auto* preempt = std::get_if<PreemptMessage>(&message)) {
        PeerEndpoint const named{preempt->address, preempt->port};
        if (!is_worth_dialling(named, peer.neighbour.endpoint.address)) preempt->port = 0;
    }
    policy_.on_message(from, message, now);
    act();
}

bool LiveEdge::is_expected(NeighbourId from, Peer& peer, Block const& block) {
    auto const now = MonotonicClock::now();
    if (policy_.is_parent(from, block.stripe)) {
        peer.expected_until[block.stripe] = now + expected_after_end;
        return true;
    }
    if (is_wanted(from, block, now)) return true;
    auto const until = peer.expected_until.find(block.stripe);
    return until != peer.expected_until.end() && now < until->second;
}

/// A block that is of no use. False, and a strike, when it is one too many.
bool LiveEdge::forgive(NeighbourId from, TokenBucket Peer::*allowance) {
    auto const peer = peers_.find(from);
    if (peer == peers_.end() || (peer->second.*allowance).take(1, MonotonicClock::now()))
        return true;
    events_.strike(from);
    return false;
}

BlockScope LiveEdge::scope() const {
    auto const& run = options_.parameters;
    return {options_.event, options_.rendition, run.run, run.stripes, run.parity};
}

/// A copy of what is here costs no signature: it is genuine if it is the same. What had been
/// rebuilt only comes for the first time now.
bool LiveEdge::note_copy(Block const& block) {
    auto const here = held(block.header.group, block.stripe);
    if (!here || *here->payload != *block.payload) return false;
    here->path.empty() ? count_payload(block) : void(++counters_.duplicates);
    return true;
}

void LiveEdge::count_payload(Block const& block) {
    auto const is_data = block.stripe.value < block.header.stripes;
    (is_data ? counters_.data_bytes : counters_.parity_bytes) += block.payload->size();
}

void LiveEdge::on_block(NeighbourId from, BlockMessage const& message) {
    auto const found = peers_.find(from);
    if (found == peers_.end()) return;
    auto& peer = found->second;
    if (message.source != source_node(options_.parameters.run)) {
        forgive(from, &Peer::useless);
        return;
    }
    auto block = decode_block(message.body, scope());
    if (!block) return events_.strike(from);
    if (!is_expected(from, peer, *block)) {
        ++counters_.unexpected;
        forgive(from, &Peer::unexpected);
        return;
    }
    // Who leaves itself out could go round in a circle with those below it.
    if (block->path.back() != peer.node) {
        forgive(from, &Peer::useless);
        return;
    }
    block->age += std::chrono::duration_cast<milliseconds>(peer.neighbour.delay);
    offer(from, std::move(*block));
}

/// What came from a neighbour that has parted since is as good as before.
void LiveEdge::offer(NeighbourId from, Block block, std::optional<GenuineSeal> const& checked) {
    auto const received = block;
    auto const added = back_buffer_.add(std::move(block), MonotonicClock::now(), checked);
    switch (added.outcome) {
    case BackBuffer::Outcome::unchecked:
        return seal_checks_.start(from, received);
    case BackBuffer::Outcome::duplicate:
        if (!forgive(from, &Peer::useless) || !note_copy(received)) return;
        break;
    case BackBuffer::Outcome::added:
        break;
    case BackBuffer::Outcome::old:
    case BackBuffer::Outcome::elsewhere:
    case BackBuffer::Outcome::conflicting:
        forgive(from, &Peer::useless);
        return;
    }
    take(from, received, added);
}

void LiveEdge::on_checked(std::vector<SealChecks::Entry> entries) {
    for (auto& [from, block, seal] : entries) {
        if (stopped_) return;
        if (seal) {
            offer(from, std::move(block), seal);
            continue;
        }
        ++counters_.forged;
        events_.strike(from);
    }
}

void LiveEdge::take(NeighbourId from, Block const& received, BackBuffer::Added const& added) {
    auto const now = MonotonicClock::now();
    auto const& header = received.header;
    NodePath path;
    for (auto const node : received.path)
        path.append(node);
    wanted_.erase({header.group, received.stripe, from});
    policy_.on_uplink(uplink_queue());
    policy_.on_block({from, received.stripe, header.group, path, received.age}, now);
    if (added.outcome == BackBuffer::Outcome::added) {
        ++counters_.blocks;
        budget_.note(header);
        count_payload(received);
        forward(header.group, received.stripe);
        if (!added.bytes.empty()) events_.on_bytes(header, added.bytes);
        if (added.has_all_data) {
            ++counters_.groups;
            if (header.is_random_access_point()) policy_.note_entry(header.group);
            auto const data = first_stripes(header.stripes);
            if ((added.rebuilt & data) != 0) ++counters_.recovered;
            policy_.on_rebuilt(header.group, now);
        }
    }
    act();
}

void LiveEdge::publish(Group const& group, ChannelKey const& key) {
    assert(loop_.is_current() && options_.is_source);
    auto const now = MonotonicClock::now();
    auto blocks = stripe_group(group, code_, key);
    back_buffer_.add_own(std::move(blocks), now);
    budget_.note(group.header);
    if (group.header.is_random_access_point()) policy_.note_entry(group.header.group);
    auto const number = group.header.group;
    policy_.on_uplink(uplink_queue());
    for (StripeIndex stripe; stripe.value < group.header.all_stripes(); ++stripe) {
        policy_.on_block({{}, stripe, number, {}, {}}, now);
        forward(number, stripe);
    }
    ++counters_.groups;
    policy_.on_rebuilt(number, now);
    act();
}

// What the policy wants

void LiveEdge::act() {
    if (stopped_) return;
    std::map<NeighbourId, Wanted> wanted;
    for (auto const& action : policy_.take_actions()) {
        auto const visitor = [&](auto const& one) {
            if constexpr (std::is_same_v<decltype(one), WantBlocks const&>)
                wanted[one.neighbour][one.group] |= one.stripes;
            else
                run(one);
        };
        std::visit(visitor, action);
    }
    for (auto const& [from, blocks] : wanted)
        want(from, blocks);
}

void LiveEdge::run(SendSubscription const& action) {
    auto const peer = peers_.find(action.to);
    if (peer == peers_.end()) return;
    auto message = action.message;
    if (auto* preempt = std::get_if<PreemptMessage>(&message)) {
        for (auto const& [id, other] : peers_) {
            if (other.node != preempt->successor) continue;
            preempt->address = other.neighbour.endpoint.address;
            preempt->port = other.neighbour.endpoint.port;
        }
    }
    SubscriptionEnvelope const envelope{source_node(options_.parameters.run), std::move(message)};
    send(action.to, peer->second, encode(envelope));
}

void LiveEdge::run(StartPush const& action) {
    auto const& run = options_.parameters.run;
    for (auto const& entry : back_buffer_.held_since(run, action.first, SubscribeMessage::groups)) {
        auto const distance = entry.group.value - action.first.value;
        if (distance >= SubscribeMessage::groups) break;
        if ((action.held >> distance & 1U) != 0 || !has(entry.stripes, action.stripe)) continue;
        auto const block = held(entry.group, action.stripe);
        if (!block) continue;
        auto const kind = policy_.is_urgent(action, block->age) ? EdgeQueue::Class::urgent
                                                                : EdgeQueue::Class::catch_up;
        if (action.is_unsent || may_repeat(action.child, *block)) push(action.child, kind, *block);
    }
    flush();
}

void LiveEdge::run(StopPush const& action) {
    auto const peer = peers_.find(action.child);
    if (peer != peers_.end()) peer->second.queue.drop(action.stripe);
}

void LiveEdge::run(OpenLink const& action) {
    PeerEndpoint where{action.successor.address, action.successor.port};
    // The policy knows the source's node, not its address.
    if (action.successor.successor == source_node(options_.parameters.run))
        where = events_.source().value_or(where);
    for (auto const& [id, peer] : peers_) {
        if (action.successor.successor.value != 0 && peer.node == action.successor.successor)
            return; // it is here already
    }
    events_.open(action.homes, where);
}

void LiveEdge::run(CloseLink const& action) {
    auto const peer = peers_.find(action.neighbour);
    if (peer == peers_.end()) return;
    if (peer->second.is_heard) return events_.close(action.neighbour);
    // It may not know of this run yet: its first word introduces it again.
    policy_.leave(action.neighbour, MonotonicClock::now());
}

void LiveEdge::run(RegenerateBlocks const& action) {
    for (StripeIndex stripe; stripe.value < limits::edge_stripes; ++stripe) {
        if (has(action.stripes, stripe)) forward(action.group, stripe);
    }
}

void LiveEdge::schedule_tick() {
    tick_timer_.start_after(policy_.tick_period(), [this] {
        tick();
        schedule_tick();
    });
}

void LiveEdge::tick() {
    update_slots();
    policy_.on_uplink(uplink_queue());
    policy_.tick(MonotonicClock::now());
    for (auto const time : policy_.take_reattached())
        reattached_.add(std::chrono::duration_cast<MediaTime>(time));
    act();
}

} // namespace minuteswarm
