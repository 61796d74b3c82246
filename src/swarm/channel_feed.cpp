#include "base/signature.hpp"
#include "swarm/channel_swarm.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

// How signed statements spread over a channel's connections, and how what is missing is pulled.

namespace minuteswarm {
namespace {

constexpr std::chrono::milliseconds pull_timeout{750};
constexpr std::chrono::seconds poll_interval{4};
constexpr std::chrono::seconds news_time{1}; // in which a neighbour tells what it knows
constexpr int most_asked = 4;                // for one record, then the pulls have to find it

std::optional<Signature> signature_of(Statement const& statement) {
    if (statement.wire.size() < Signature::size) return std::nullopt;
    return Signature::from(ByteView{statement.wire}.first(Signature::size));
}

std::optional<Record> record_in(Statement const& statement) {
    auto const body = statement_body(statement.wire);
    if (statement.kind != StatementKind::record || !body) return std::nullopt;
    auto record = decode_record(*body);
    return record ? std::optional{std::move(*record)} : std::nullopt;
}

/// The event a genuine statement speaks of.
std::optional<EventId> event_of(Statement const& statement, ChannelId const& channel) {
    switch (statement.kind) {
    case StatementKind::record:
        if (auto const opened = open_record(statement.wire, channel)) return opened->value.event;
        break;
    case StatementKind::descriptor:
        if (auto const opened = open_descriptor(statement.wire, channel))
            return opened->value.event;
        break;
    case StatementKind::end:
        if (auto const opened = open_end(statement.wire, channel)) return opened->value.event;
        break;
    }
    return std::nullopt;
}

} // namespace

/// The uplink of a source may be too narrow for more than the stripes. Whoever these feed tells
/// the others.
bool ChannelSwarm::leaves_telling() const {
    return options_.role == Role::source && edge_ && edge_->is_busy() && !is_over();
}

std::optional<ChannelHandshake::Known> ChannelSwarm::known_feed() {
    auto const* feed = newest_feed();
    if (!feed) return std::nullopt;
    ChannelHandshake::Known known{feed->event(), {}, 0, feed->end() != nullptr};
    if (auto const* record = feed->newest(only_rendition)) known.newest = record->value.number;
    if (auto const* descriptor = feed->descriptor()) known.revision = descriptor->value.revision;
    return known;
}

/// A neighbour said how far it knows the feed. Who lacks something of that asks, one at a time: of
/// ten new neighbours each would tell a newcomer the same.
void ChannelSwarm::exchange_news(
    NeighbourId id, ChannelHandshake::Known const& theirs, MonotonicTime now
) {
    auto const own = known_feed();
    auto const is_same = own && own->event == theirs.event;
    if (is_same) note_known(id, theirs);
    auto const lacks =
        !own || own->event < theirs.event ||
        (is_same && (own->newest < theirs.newest || own->revision < theirs.revision ||
                     (theirs.has_end && !own->has_end)));
    if (!lacks || now - last_ask_ < pull_timeout) return;
    last_ask_ = now;
    last_poll_ = now - poll_interval + news_time; // should it not answer
    send(id, encode(GetRecordsMessage{{}, only_rendition, theirs.newest, 1}));
}

/// That need not be sent to it.
void ChannelSwarm::note_known(NeighbourId id, ChannelHandshake::Known const& known) {
    auto const* feed = newest_feed();
    auto const note = [&](StatementKind kind, Bytes const& wire) {
        if (auto const signature = signature_of({kind, wire}))
            neighbourhood_.note_knows(id, *signature);
    };
    auto const* descriptor = feed->descriptor();
    if (descriptor && known.revision >= descriptor->value.revision)
        note(StatementKind::descriptor, descriptor->wire);
    auto const* record = feed->newest(only_rendition);
    if (record && known.newest >= record->value.number) note(StatementKind::record, record->wire);
    auto const* end = feed->end();
    if (end && known.has_end) note(StatementKind::end, end->wire);
}

Feed::Outcome ChannelSwarm::accept(Statement const& statement) {
    if (feeds_.empty()) {
        auto const event = event_of(statement, options_.channel);
        if (!event) return Feed::Outcome::refused;
        add_feed(*event);
    }
    auto outcome = Feed::Outcome::other_event;
    for (auto feed = feeds_.rbegin(); feed != feeds_.rend(); ++feed) {
        outcome = feed->second.accept(statement);
        if (outcome != Feed::Outcome::other_event) break;
    }
    if (outcome != Feed::Outcome::newer_event || options_.role != Role::viewer) return outcome;
    auto const event = event_of(statement, options_.channel);
    if (!event) return Feed::Outcome::refused;
    feeds_.clear(); // viewers follow the highest signed event
    interest_.reset();
    return add_feed(*event).accept(statement);
}

/// False when the sender was banned for it.
bool ChannelSwarm::take_statement(NeighbourId from, Statement const& statement) {
    auto const signature = signature_of(statement);
    auto const outcome = accept(statement);
    if (outcome == Feed::Outcome::refused || !signature) {
        ++counters_.bad_signature;
        strike(from);
        return neighbourhood_.find(from) != nullptr;
    }
    neighbourhood_.note_knows(from, *signature);
    if (options_.role == Role::source) {
        // Own statements come back as `known`; anything else genuine has another publisher.
        if (outcome == Feed::Outcome::accepted || outcome == Feed::Outcome::newer_event) {
            if (events_.on_foreign_run) events_.on_foreign_run();
        }
        return true;
    }
    if (outcome != Feed::Outcome::accepted) return true;
    last_news_ = MonotonicClock::now();
    auto const event = event_of(statement, options_.channel);
    push(statement);
    if (event && events_.on_statement) events_.on_statement(statement, *event);
    return true;
}

void ChannelSwarm::push(Statement const& statement) {
    auto const signature = signature_of(statement);
    if (!signature) return;
    auto const message = encode(RecordsMessage{{statement}});
    std::optional<ChunkId> chunk;
    Neighbourhood::Tree tree;
    if (auto const record = record_in(statement)) {
        chunk = {record->event, record->rendition, record->number};
        // Its records go the way of the live edge: who follows it has them from one, not from four.
        if (edge_ && edge_->run() == record->run) tree = edge_->tree(first_stripe);
    }
    auto const fanout = leaves_telling() ? 0 : limits::push_fanout;
    for (auto const id : neighbourhood_.push_targets(*signature, chunk, tree, fanout, random_)) {
        send(id, message);
        neighbourhood_.note_knows(id, *signature);
    }
}

void ChannelSwarm::publish(Statement const& statement, EventId event) {
    assert(loop_.is_current());
    if (add_feed(event).accept(statement) == Feed::Outcome::accepted) push(statement);
}

void ChannelSwarm::handle(NeighbourId from, RecordsMessage const& message) {
    auto const link = links_.find(from);
    auto const count = static_cast<double>(message.statements.size());
    if (link == links_.end() || !link->second.statements.take(count, MonotonicClock::now())) return;
    for (auto const& statement : message.statements) {
        if (!take_statement(from, statement)) return;
    }
    last_pull_ = {}; // an answer: the next hole may be asked for at once
    pull(MonotonicClock::now());
}

void ChannelSwarm::handle(NeighbourId from, GetRecordsMessage const& message) {
    auto* const wanted = message.event.value == 0 ? newest_feed() : feed(message.event);
    if (!wanted) return;
    // Enough to begin with; the others have the rest.
    auto const most = leaves_telling() ? 1 : limits::records_per_reply;
    auto const count = std::min<std::size_t>(message.count, most);
    auto const link = links_.find(from);
    if (link == links_.end() ||
        !link->second.records.take(static_cast<double>(count), MonotonicClock::now())) {
        return; // it asks somebody else, or again
    }
    auto const* oldest = wanted->oldest(message.rendition);
    auto const is_older = oldest && message.first < oldest->value.number && message.first.value > 0;
    if (is_older && events_.read_older && count > 0) {
        auto request = message;
        request.event = wanted->event();
        request.count = static_cast<std::uint16_t>(count);
        events_.read_older(request, [this, from](std::vector<Statement> statements) {
            reply(from, std::move(statements));
        });
        return;
    }
    reply(from, wanted->range(message.rendition, message.first, count, limits::records_reply_size));
}

/// What it knows besides the records it asked for is left out; nothing at all is an answer, too.
void ChannelSwarm::reply(NeighbourId to, std::vector<Statement> statements) {
    std::erase_if(statements, [&](Statement const& statement) {
        auto const signature = signature_of(statement);
        return statement.kind != StatementKind::record && signature &&
               neighbourhood_.knows(to, *signature);
    });
    for (auto const& statement : statements) {
        if (auto const signature = signature_of(statement)) {
            neighbourhood_.note_knows(to, *signature);
        }
    }
    send(to, encode(RecordsMessage{std::move(statements)}));
}

/// A record comes from the parent in the live edge. If it does not soon, those who announced its
/// chunk are asked.
void ChannelSwarm::ask_for_awaited(MonotonicTime now) {
    if (!awaited_ || now - awaited_->since < pull_timeout) return;
    auto const& chunk = awaited_->chunk;
    auto const* known = feed(chunk.event);
    auto const holders = neighbourhood_.announcers(chunk);
    if (!known || known->find(chunk.rendition, chunk.number) || holders.empty() ||
        awaited_->asked == most_asked) {
        awaited_.reset();
        return;
    }
    auto const to = holders[random_() % holders.size()];
    send(to, encode(GetRecordsMessage{chunk.event, chunk.rendition, chunk.number, 1}));
    awaited_->since = now;
    ++awaited_->asked;
}

void ChannelSwarm::pull(MonotonicTime now) {
    if (options_.role == Role::source || now - last_pull_ < pull_timeout) return;
    auto const to = neighbourhood_.one_to_ask(random_);
    if (!to) return;

    auto* const followed = newest_feed();
    auto const first = followed && interest_ ? *interest_ : ChunkNumber{1};
    auto const hole = followed && interest_ ? followed->first_hole(only_rendition, first)
                                            : std::optional<Feed::Hole>{};
    if (hole) {
        last_pull_ = now;
        auto const count = static_cast<std::uint16_t>(hole->count);
        send(*to, encode(GetRecordsMessage{followed->event(), only_rendition, hole->first, count}));
        return;
    }
    if (now - std::max(last_poll_, last_news_) < poll_interval) return;
    last_poll_ = now; // in case the newest push has gone past this node
    auto const* newest = followed ? followed->newest(only_rendition) : nullptr;
    auto const next = newest ? newest->value.number.next() : ChunkNumber{1};
    auto const event = EventId{0};
    send(*to, encode(GetRecordsMessage{event, only_rendition, next, 8}));
}

} // namespace minuteswarm
