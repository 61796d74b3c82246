#include "feed/feed.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

template <class T>
Signed<T> const* pointer_to(std::optional<Signed<T>> const& value) {
    return value ? &*value : nullptr;
}

} // namespace

Feed::Feed(ChannelId const& channel, EventId event, std::size_t window)
    : channel_(channel)
    , event_(event)
    , window_(std::max<std::size_t>(window, 1)) {}

Feed::Outcome Feed::accept(Statement const& statement) {
    switch (statement.kind) {
    case StatementKind::record:
        return accept_record(statement);
    case StatementKind::descriptor:
        return accept_descriptor(statement);
    case StatementKind::end:
        return accept_end(statement);
    }
    return Outcome::refused;
}

/// An older event's costs no signature: whoever replays those may do it often.
std::optional<Feed::Outcome> Feed::check(EventId stated, Statement const& statement) const {
    if (stated < event_) return Outcome::other_event;
    if (!is_genuine(statement.kind, statement.wire, channel_)) return Outcome::refused;
    return stated > event_ ? std::optional{Outcome::newer_event} : std::nullopt;
}

Feed::Outcome Feed::accept_record(Statement const& statement) {
    auto const body = statement_body(statement.wire);
    if (!body) return Outcome::refused;
    auto record = decode_record(*body);
    if (!record) return Outcome::refused;
    if (record->event == event_) {
        auto const* held = find(record->rendition, record->number);
        if (held) return held->wire == statement.wire ? Outcome::known : Outcome::refused;
        if (end_ && record->number > end_->value.last) return Outcome::refused;
    }
    if (auto const outcome = check(record->event, statement)) return *outcome;
    return keep({std::move(*record), statement.wire});
}

Feed::Outcome Feed::keep(Signed<Record> record) {
    auto const rendition = record.value.rendition;
    auto const number = record.value.number;
    auto found = records_.find(rendition);
    if (found == records_.end()) {
        if (records_.size() >= limits::renditions) return Outcome::outside;
        found = records_.try_emplace(rendition).first;
    }
    auto& records = found->second;
    bool const is_newest = records.empty() || number > records.rbegin()->first;
    bool const has_room = records.size() < window_ || number > records.begin()->first;
    if (!is_newest && !(keep_from_ ? is_in_kept_span(number) : has_room)) return Outcome::outside;
    records.emplace(number, std::move(record));
    trim(records);
    return Outcome::accepted;
}

void Feed::trim(Records& records) const {
    if (!keep_from_) {
        while (records.size() > window_)
            records.erase(records.begin());
        return;
    }
    auto const last = std::prev(records.end());
    for (auto at = records.begin(); at != last;) {
        at = is_in_kept_span(at->first) ? std::next(at) : records.erase(at);
    }
}

bool Feed::is_in_kept_span(ChunkNumber number) const {
    return number >= *keep_from_ && number.value - keep_from_->value < window_;
}

Feed::Outcome Feed::accept_descriptor(Statement const& statement) {
    if (descriptor_ && descriptor_->wire == statement.wire) return Outcome::known;
    auto const body = statement_body(statement.wire);
    if (!body) return Outcome::refused;
    auto descriptor = decode_descriptor(*body);
    if (!descriptor) return Outcome::refused;
    bool const is_older = descriptor_ && descriptor->event == event_ &&
                          descriptor->revision <= descriptor_->value.revision;
    if (is_older) return Outcome::known;
    if (auto const outcome = check(descriptor->event, statement)) return *outcome;
    descriptor_ = {std::move(*descriptor), statement.wire};
    return Outcome::accepted;
}

Feed::Outcome Feed::accept_end(Statement const& statement) {
    if (end_ && end_->wire == statement.wire) return Outcome::known;
    auto const body = statement_body(statement.wire);
    if (!body) return Outcome::refused;
    auto const end = decode_end(*body);
    if (!end) return Outcome::refused;
    bool const contradicts = end_ || has_record_after(end->last);
    if (end->event == event_ && contradicts) return Outcome::refused;
    if (auto const outcome = check(end->event, statement)) return *outcome;
    end_ = {*end, statement.wire};
    return Outcome::accepted;
}

bool Feed::has_record_after(ChunkNumber number) const {
    return std::ranges::any_of(records_, [&](auto const& entry) {
        return entry.second.rbegin()->first > number;
    });
}

Signed<Descriptor> const* Feed::descriptor() const {
    return pointer_to(descriptor_);
}

Signed<EndRecord> const* Feed::end() const {
    return pointer_to(end_);
}

Feed::Records const* Feed::records_of(RenditionId rendition) const {
    auto const found = records_.find(rendition);
    return found == records_.end() ? nullptr : &found->second;
}

Signed<Record> const* Feed::find(RenditionId rendition, ChunkNumber number) const {
    auto const* records = records_of(rendition);
    if (!records) return nullptr;
    auto const found = records->find(number);
    return found == records->end() ? nullptr : &found->second;
}

Signed<Record> const* Feed::newest(RenditionId rendition) const {
    auto const* records = records_of(rendition);
    return records ? &records->rbegin()->second : nullptr;
}

Signed<Record> const* Feed::oldest(RenditionId rendition) const {
    auto const* records = records_of(rendition);
    return records ? &records->begin()->second : nullptr;
}

void Feed::keep_from(ChunkNumber first) {
    keep_from_ = first;
    for (auto& [rendition, records] : records_)
        trim(records);
}

std::vector<Statement>
Feed::range(RenditionId rendition, ChunkNumber first, std::size_t most, std::size_t bytes) const {
    std::vector<Statement> statements;
    std::size_t used = 0;
    auto const add = [&](StatementKind kind, Bytes const& wire) {
        if (wire.size() > bytes - used) return false;
        used += wire.size();
        statements.push_back({kind, wire});
        return true;
    };
    if (descriptor_) add(StatementKind::descriptor, descriptor_->wire);
    if (end_) add(StatementKind::end, end_->wire);
    auto const* records = records_of(rendition);
    if (!records) return statements;
    auto at = records->lower_bound(first);
    if (at == records->end()) return statements;
    auto expected = at->first;
    for (std::size_t count = 0; count < most && at != records->end(); ++count, ++at) {
        if (at->first != expected || !add(StatementKind::record, at->second.wire)) break;
        ++expected;
    }
    return statements;
}

std::optional<Feed::Hole> Feed::first_hole(RenditionId rendition, ChunkNumber from) const {
    auto const [least, most] = wanted_span(rendition);
    auto first = std::max(from, least);
    auto const* records = records_of(rendition);
    auto next = most; // the known record behind the hole, or one past the last number there is
    if (records) {
        auto at = records->lower_bound(first);
        for (; at != records->end() && at->first == first; ++at)
            ++first;
        if (at != records->end()) next = std::min(next, at->first);
    }
    if (first >= next) return std::nullopt;
    auto const length =
        std::min<std::uint64_t>(next.value - first.value, limits::records_per_reply);
    return Hole{first, static_cast<std::size_t>(length)};
}

Feed::Span Feed::wanted_span(RenditionId rendition) const {
    auto const* latest = newest(rendition);
    auto past = latest ? latest->value.number.next() : ChunkNumber{0};
    if (end_) past = std::max(past, end_->value.last.next());
    auto const least = past.value > window_ ? past.value - window_ : 0;
    if (!keep_from_) return {{std::max<std::uint64_t>(least, 1)}, past};
    return {std::max(*keep_from_, ChunkNumber{1}), std::min(past, *keep_from_ + window_)};
}

} // namespace minuteswarm
