#include "playout/timeline.hpp"

#include "base/limits.hpp"
#include "playout/bounded_time.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>

namespace minuteswarm {
namespace {

using std::chrono::seconds;

// Chunks whose durations count as recent: enough to span a change of the publisher's GOP.
constexpr std::size_t recent_chunks = 16;

// No group spans more media: where marks are further apart, one between them is missing.
constexpr MediaTime group_span_max = seconds{1};

MediaTime within_bounds(MediaTime media) {
    return std::clamp(media, MediaTime::zero(), media_time_max);
}

Timeline::Chunk within_bounds(Timeline::Chunk chunk) {
    chunk.media_time = within_bounds(chunk.media_time);
    chunk.duration = std::clamp(chunk.duration, MediaTime::zero(), duration_max);
    chunk.is_open = false;
    return chunk;
}

} // namespace

Timeline::Timeline(Options options)
    : options_(options) {
    options_.latency = std::clamp(options_.latency, MediaTime::zero(), duration_max);
}

std::uint64_t Timeline::Known::present_from(std::uint64_t offset) const {
    auto const end = present.contiguous_end(offset);
    return chunk.size == 0 ? end : std::max(offset, std::min(end, chunk.size));
}

// What records tell

bool Timeline::is_playable(ChunkNumber number) const {
    auto const has_successor = number.value < std::numeric_limits<std::uint64_t>::max();
    if (number.value == 0 || !has_successor || state_ == State::ended) return false;
    return !(has_start_ && number < playhead_.chunk) && !(last_ && number > *last_);
}

void Timeline::add(Chunk const& chunk) {
    auto const number = chunk.number;
    if (chunk.size == 0) return;
    auto const record = within_bounds(chunk);
    auto const has_closed = close_segments(record);
    auto const at = known_.find(number);
    if (at != known_.end()) {
        if (!at->second.chunk.is_open) return;
        close(at->second, record);
    } else if (is_playable(number)) {
        if (known_.size() >= limits::feed_window && !make_room_for(number)) return;
        known_.emplace(number, Known{record, {}});
    } else if (!has_closed) {
        return;
    }
    newest_end_ = std::max(newest_end_, record.end());
    note_duration(record);
}

void Timeline::close(Known& known, Chunk const& record) {
    known.chunk = record;
    known.is_begun = true;
    marks_.fit(record.number, record.size, record.media_time, record.end());
}

/// What was released of a chunk while it was open; returns whether anything was.
bool Timeline::close_segments(Chunk const& record) {
    auto has_closed = false;
    for (auto& segment : segments_of(record.number)) {
        if (!segment.chunk.is_open) continue;
        segment.chunk = record;
        has_closed = true;
    }
    has_closed_ = has_closed_ || has_closed;
    auto const is_next = playhead_ == Position{record.number.next(), 0};
    if (has_closed && is_next) released_media_ = std::max(released_media_, record.end());
    return has_closed;
}

/// Lets go of one chunk, of a set that is full, for `number`; false if that one is to stay out.
bool Timeline::make_room(
    ChunkNumber number, KnownChunks::iterator oldest, KnownChunks::iterator newest
) {
    auto const keeps_newest = !has_start_ && !last_;
    // After a long outage the front is out of reach: it must not keep out what can still be played.
    auto const is_oldest_lost =
        anchor_ && oldest->second.present.total() == 0 && due(end_of(oldest->second.chunk)) < now_;
    if (keeps_newest || is_oldest_lost) {
        if (number < oldest->first) return false;
        erase_known(oldest);
        return true;
    }
    if (number > newest->first) return false;
    erase_known(newest);
    return true;
}

bool Timeline::make_room_for(ChunkNumber number) {
    return make_room(number, known_.begin(), std::prev(known_.end()));
}

void Timeline::erase_known(KnownChunks::iterator at) {
    marks_.drop(at->first);
    known_.erase(at);
}

void Timeline::note_duration(Chunk const& chunk) {
    recent_durations_.emplace(chunk.number, chunk.duration);
    if (recent_durations_.size() > recent_chunks)
        recent_durations_.erase(recent_durations_.begin());
}

void Timeline::end(ChunkNumber last) {
    if (last_) return;
    last_ = last;
    while (!known_.empty() && std::prev(known_.end())->first > last) {
        erase_known(std::prev(known_.end()));
    }
    newest_end_ = released_media_;
    for (auto const& [number, known] : known_)
        newest_end_ = std::max(newest_end_, end_of(known.chunk));
}

// What groups tell

void Timeline::mark(Mark const& mark) {
    auto const [number, offset] = mark.at;
    if (offset >= limits::chunk_size) return;
    auto bounded = mark;
    bounded.media_time = within_bounds(mark.media_time);
    auto* const known = open(bounded);
    if (known == nullptr) return;
    auto& chunk = known->chunk;
    if (chunk.size != 0 && offset >= chunk.size) return;
    if (!chunk.is_open) {
        bounded.media_time = std::clamp(bounded.media_time, chunk.media_time, chunk.end());
    } else if (!known->is_begun) {
        chunk.media_time = std::min(chunk.media_time, bounded.media_time);
    }
    if (offset == 0) {
        begin(*known, bounded);
    } else {
        add_mark(mark.at, {bounded.media_time, mark.wall_time, mark.is_random_access_point});
    }
    newest_end_ = std::max(newest_end_, bounded.media_time);
}

Timeline::Known* Timeline::open(Mark const& mark) {
    auto const number = mark.at.chunk;
    if (auto const at = known_.find(number); at != known_.end()) return &at->second;
    if (!is_playable(number) || !make_room_to_open(number)) return nullptr;
    Known known;
    known.is_begun = false;
    known.chunk.number = number;
    known.chunk.media_time = mark.media_time;
    known.chunk.is_independent = false;
    known.chunk.is_open = true;
    return &known_.emplace(number, std::move(known)).first->second;
}

bool Timeline::make_room_to_open(ChunkNumber number) {
    auto const is_open = [](auto const& entry) { return entry.second.chunk.is_open; };
    auto const count = std::count_if(known_.begin(), known_.end(), is_open);
    if (static_cast<std::size_t>(count) >= limits::edge_open_chunks) {
        auto const oldest = std::find_if(known_.begin(), known_.end(), is_open);
        auto const newest = std::find_if(known_.rbegin(), known_.rend(), is_open);
        if (!make_room(number, oldest, std::prev(newest.base()))) return false;
    }
    return known_.size() < limits::feed_window || make_room_for(number);
}

void Timeline::begin(Known& known, Mark const& mark) {
    if (known.is_begun) return;
    known.is_begun = true;
    known.chunk.media_time = mark.media_time;
    known.chunk.wall_time = mark.wall_time;
    known.chunk.is_discontinuity = mark.is_discontinuity;
    known.chunk.is_independent = mark.is_random_access_point;
}

void Timeline::add_mark(Position at, GroupMarks::Mark mark) {
    auto const first = marks_.first_chunk();
    if (marks_.is_full() && !has_start_ && first < at.chunk) marks_.drop(*first);
    marks_.add(at, mark);
}

void Timeline::set_size(ChunkNumber number, std::uint64_t size) {
    auto const at = known_.find(number);
    if (at == known_.end() || size == 0 || size > limits::chunk_size) return;
    auto& chunk = at->second.chunk;
    if (!chunk.is_open || chunk.size != 0) return;
    chunk.size = size;
    marks_.fit(number, size, MediaTime::zero(), media_time_max);
    for (auto& segment : segments_of(number))
        segment.chunk.size = size;
}

void Timeline::set_available(ChunkNumber number, ByteRanges const& present) {
    auto const at = known_.find(number);
    if (at != known_.end()) at->second.present = present;
}

/// With the edge the newest known media time comes by groups, without it by records: what one way
/// has shown of the publisher's clock says nothing of the other.
void Timeline::set_edge(bool has_edge) {
    if (has_edge == has_edge_) return;
    has_edge_ = has_edge;
    drift_ = ClockDrift{};
}

// Where to start

std::optional<Timeline::Position> Timeline::choose_start() const {
    if (!last_) {
        if (auto const found = newest_entry_before(newest_end_ - effective_latency())) return found;
    }
    return first_entry();
}

std::optional<Timeline::Position> Timeline::choose_live_start(bool is_patient) const {
    auto const latest = newest_end_ - effective_latency();
    std::optional<Position> chosen;
    auto is_old_enough = false;
    auto const consider = [&](Position at, MediaTime media_time) {
        if (chosen && media_time > latest) return;
        if (present_from(at) < enough_to_start()) return;
        chosen = at;
        is_old_enough = media_time <= latest;
    };
    for (auto const& [number, known] : known_) {
        if (known.is_begun && known.chunk.is_independent && known.has(0))
            consider({number, 0}, known.chunk.media_time);
        for (auto const& [at, mark] : marks_.of(number)) {
            if (mark.is_random_access_point && known.has(at.offset)) consider(at, mark.media_time);
        }
    }
    return is_patient && !is_old_enough ? std::nullopt : chosen;
}

std::optional<Timeline::Position> Timeline::newest_entry_before(MediaTime latest) const {
    for (auto at = known_.rbegin(); at != known_.rend(); ++at) {
        auto const& [number, known] = *at;
        auto const marks = marks_.of(number);
        for (auto mark = marks.end(); mark != marks.begin();) {
            --mark;
            auto const& [position, told] = *mark;
            if (told.is_random_access_point && told.media_time <= latest) return position;
        }
        auto const is_early = known.chunk.media_time <= latest;
        if (known.chunk.is_independent && is_early) return Position{number, 0};
    }
    return std::nullopt;
}

std::optional<Timeline::Position> Timeline::first_entry() const {
    for (auto const& [number, known] : known_) {
        if (known.chunk.is_independent) return Position{number, 0};
        for (auto const& [position, told] : marks_.of(number)) {
            if (told.is_random_access_point) return position;
        }
    }
    return std::nullopt;
}

void Timeline::start_at(Position start) {
    assert(!anchor_);
    has_start_ = true;
    playhead_ = start;
    while (!known_.empty() && known_.begin()->first < start.chunk)
        erase_known(known_.begin());
    marks_.drop_before(start);
}

// Time

MediaTime Timeline::wanted_latency() const {
    auto const by_duration = [](auto const& a, auto const& b) { return a.second < b.second; };
    auto const longest =
        std::max_element(recent_durations_.begin(), recent_durations_.end(), by_duration);
    if (has_edge_ || longest == recent_durations_.end()) return options_.latency;
    return std::max<MediaTime>(options_.latency, longest->second * 3 / 2 + seconds{1});
}

MediaTime Timeline::effective_latency() const {
    return std::max(latency_in_force_, wanted_latency());
}

MonotonicTime Timeline::due(MediaTime media) const {
    auto const since_start = std::max(media - start_media_, MediaTime::zero());
    return saturated_add(*anchor_, since_start + delay_);
}

/// Marks tell it in steps: all of a group is due when it begins. Where a group between two marks
/// is missing, and in a chunk without marks, it grows in proportion to the offset.
MediaTime Timeline::media_time_at(Chunk const& chunk, std::uint64_t offset) const {
    auto const [before, after] = marks_.around({chunk.number, offset});
    if (before == nullptr && after == nullptr) return chunk.media_time_at(offset);
    if (!chunk.is_open && offset >= chunk.size) return chunk.end();
    auto const from = before == nullptr ? 0 : before->first.offset;
    auto const begin = before == nullptr ? chunk.media_time : before->second.media_time;
    if (after == nullptr && chunk.is_open) return begin;
    auto const to = after == nullptr ? chunk.size : after->first.offset;
    auto const end = after == nullptr ? chunk.end() : after->second.media_time;
    if (end - begin <= group_span_max) return begin;
    auto const share = static_cast<double>(offset - from) / static_cast<double>(to - from);
    return begin + MediaTime{std::llround(share * static_cast<double>((end - begin).count()))};
}

/// As far as known.
MediaTime Timeline::end_of(Chunk const& chunk) const {
    if (!chunk.is_open) return chunk.end();
    auto const marks = marks_.of(chunk.number);
    return marks.empty() ? chunk.media_time
                         : std::max(chunk.media_time, std::prev(marks.end())->second.media_time);
}

} // namespace minuteswarm
