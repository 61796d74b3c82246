#include "playout/timeline.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>

namespace minuteswarm {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// Signed values may still be absurd. Within these bounds no sum or difference overflows, not even
// in the nanoseconds of the monotonic clock.
constexpr MediaTime media_time_max = hours{24 * 365 * 100};
constexpr MediaTime duration_max = hours{24};

// Chunks whose durations count as recent: enough to span a change of the publisher's GOP.
constexpr std::size_t recent_chunks = 16;

MonotonicTime saturated_add(MonotonicTime to, MediaTime by) {
    auto const room =
        std::chrono::duration_cast<MediaTime>(MonotonicTime::max() - std::max(to, MonotonicTime{}));
    return by > room ? MonotonicTime::max() : to + by;
}

Timeline::Chunk within_bounds(Timeline::Chunk chunk) {
    chunk.media_time = std::clamp(chunk.media_time, MediaTime::zero(), media_time_max);
    chunk.duration = std::clamp(chunk.duration, MediaTime::zero(), duration_max);
    return chunk;
}

} // namespace

Timeline::Timeline(Options options)
    : options_(options) {
    options_.latency = std::clamp(options_.latency, MediaTime::zero(), duration_max);
}

// What is known

void Timeline::add(Chunk const& chunk) {
    auto const number = chunk.number;
    auto const has_successor = number.value < std::numeric_limits<std::uint64_t>::max();
    if (chunk.size == 0 || number.value == 0 || !has_successor) return;
    if (state_ == State::ended || (start_ && number < playhead_.chunk)) return;
    if ((last_ && number > *last_) || known_.contains(number)) return;
    if (known_.size() >= limits::feed_window && !make_room_for(number)) return;

    auto const bounded = within_bounds(chunk);
    known_.emplace(number, Known{bounded, 0});
    newest_end_ = std::max(newest_end_, bounded.end());
    note_duration(bounded);
}

bool Timeline::make_room_for(ChunkNumber number) {
    auto const oldest = known_.begin();
    auto const newest = std::prev(known_.end());
    auto const keeps_newest = !start_ && !last_;
    // After a long outage the front is out of reach: it must not keep out what can still be played.
    auto const is_oldest_lost =
        anchor_ && oldest->second.available == 0 && due(oldest->second.chunk.end()) < now_;
    if (keeps_newest || is_oldest_lost) {
        if (number < oldest->first) return false;
        erase_known(oldest);
        return true;
    }
    if (number > newest->first) return false;
    erase_known(newest);
    return true;
}

void Timeline::erase_known(KnownChunks::iterator at) {
    entries_.erase(at->first);
    known_.erase(at);
}

void Timeline::note_duration(Chunk const& chunk) {
    recent_durations_.emplace(chunk.number, chunk.duration);
    if (recent_durations_.size() > recent_chunks)
        recent_durations_.erase(recent_durations_.begin());
}

void Timeline::set_available(ChunkNumber number, std::uint64_t bytes) {
    auto const at = known_.find(number);
    if (at == known_.end() || bytes == 0) return;
    auto& known = at->second;
    if (known.available == 0 && known.chunk.is_independent) entries_.insert(number);
    known.available = std::max(known.available, std::min(bytes, known.chunk.size));
}

void Timeline::end(ChunkNumber last) {
    if (last_) return;
    last_ = last;
    while (!known_.empty() && std::prev(known_.end())->first > last) {
        erase_known(std::prev(known_.end()));
    }
    newest_end_ = released_media_;
    for (auto const& [number, known] : known_)
        newest_end_ = std::max(newest_end_, known.chunk.end());
}

// Where to start

std::optional<ChunkNumber> Timeline::choose_start() const {
    auto const is_independent = [](auto const& entry) { return entry.second.chunk.is_independent; };
    if (!last_) {
        auto const latest = newest_end_ - effective_latency();
        auto const found = std::find_if(known_.rbegin(), known_.rend(), [&](auto const& entry) {
            return is_independent(entry) && entry.second.chunk.media_time <= latest;
        });
        if (found != known_.rend()) return found->first;
    }
    auto const first = std::find_if(known_.begin(), known_.end(), is_independent);
    if (first == known_.end()) return std::nullopt;
    return first->first;
}

void Timeline::start_at(ChunkNumber number) {
    assert(!anchor_);
    start_ = number;
    playhead_ = {number, 0};
    while (!known_.empty() && known_.begin()->first < number)
        erase_known(known_.begin());
}

// Time

MediaTime Timeline::wanted_latency() const {
    auto const by_duration = [](auto const& a, auto const& b) { return a.second < b.second; };
    auto const longest =
        std::max_element(recent_durations_.begin(), recent_durations_.end(), by_duration);
    if (longest == recent_durations_.end()) return options_.latency;
    return std::max<MediaTime>(options_.latency, longest->second * 3 / 2 + seconds{1});
}

MediaTime Timeline::effective_latency() const {
    return std::max(latency_in_force_, wanted_latency());
}

MonotonicTime Timeline::due(MediaTime media) const {
    auto const since_start = std::max(media - start_media_, MediaTime::zero());
    return saturated_add(*anchor_, since_start + delay_);
}

std::optional<MonotonicTime> Timeline::hole_deadline() const {
    if (!anchor_) {
        if (!waiting_since_) return std::nullopt;
        return saturated_add(*waiting_since_, effective_latency());
    }
    auto const at = known_.find(playhead_.chunk);
    if (at == known_.end()) return due(released_media_);
    return due(at->second.chunk.media_time_at(playhead_.offset));
}

// Release

bool Timeline::advance(MonotonicTime now) {
    now_ = std::max(now_, now);
    if (state_ == State::ended) return false;
    if (last_ && last_->value == 0) {
        finish();
        return true;
    }
    if (!start_) return false;
    if (!waiting_since_) waiting_since_ = now_;
    if (anchor_) move_deadlines();
    if (is_too_early()) return false;
    auto has_changed = release_present();
    while (!is_over() && skip_hole()) {
        has_changed = true;
        release_present();
    }
    if (is_over()) finish();
    return has_changed || state_ == State::ended;
}

/// Deadlines move later with longer chunks and slower clocks; never earlier.
void Timeline::move_deadlines() {
    auto const wanted = wanted_latency();
    delay_ += std::max(wanted - latency_in_force_, MediaTime::zero());
    latency_in_force_ = std::max(latency_in_force_, wanted);
    if (last_ || newest_end_ <= drift_seen_to_) return;
    drift_seen_to_ = newest_end_;
    auto const slack = std::chrono::duration_cast<MediaTime>(due(newest_end_) - now_);
    delay_ += drift_.note(now_, std::min(slack, latency_in_force_));
}

/// The first byte starts the clock of all that follow. A chunk that has only begun to come says
/// nothing yet of how fast it comes: in a crowd that starts at once, it would end in a gap.
bool Timeline::is_too_early() const {
    if (anchor_ || last_ || now_ >= saturated_add(*waiting_since_, effective_latency()))
        return false;
    auto const first = known_.find(playhead_.chunk);
    return first == known_.end() || first->second.available < first->second.chunk.size;
}

bool Timeline::release_present() {
    auto has_changed = false;
    for (auto at = known_.begin(); at != known_.end(); at = known_.begin()) {
        auto const& known = at->second;
        if (at->first != playhead_.chunk || known.available <= playhead_.offset) break;
        release(known);
        has_changed = true;
        if (playhead_.offset < known.chunk.size) break;
        segments_.back().is_closed = true;
        playhead_ = {at->first.next(), 0};
        erase_known(at);
    }
    return has_changed;
}

void Timeline::release(Known const& known) {
    if (!anchor_) set_anchor(known.chunk);
    if (playhead_.offset == 0) {
        segments_.push_back({known.chunk, 0, is_gap_pending_, false});
        is_gap_pending_ = false;
    }
    counters_.released_bytes += known.available - playhead_.offset;
    counters_.late_bytes += late_part(known.chunk, known.available);
    segments_.back().released = known.available;
    playhead_.offset = known.available;
    released_media_ = known.chunk.media_time_at(known.available);
    last_release_ = now_;
    state_ = State::live;
}

void Timeline::set_anchor(Chunk const& first) {
    anchor_ = now_;
    start_media_ = first.media_time;
    latency_in_force_ = wanted_latency();
    drift_seen_to_ = newest_end_;
    // An event younger than the latency: its next chunk takes as long to come as any other's.
    auto const distance = newest_end_ - first.media_time;
    if (!last_) delay_ = std::max(latency_in_force_ - distance, MediaTime::zero());
}

/// How many of the bytes from the playhead to `to` are due before now.
std::uint64_t Timeline::late_part(Chunk const& chunk, std::uint64_t to) const {
    auto const begin = due(chunk.media_time);
    if (now_ <= begin) return 0;
    auto const passed = std::chrono::duration<double, MediaTime::period>(now_ - begin).count();
    auto const length = static_cast<double>(chunk.duration.count());
    if (passed > length) return to - playhead_.offset;
    auto const due_bytes =
        static_cast<std::uint64_t>(std::ceil(passed / length * static_cast<double>(chunk.size)));
    auto const late_to = std::min(due_bytes, to);
    return late_to > playhead_.offset ? late_to - playhead_.offset : 0;
}

// Skip

bool Timeline::skip_hole() {
    auto const hole = hole_deadline();
    if (!hole || now_ < *hole) return false;
    auto const target = entries_.upper_bound(playhead_.chunk);
    if (target == entries_.end()) {
        if (!anchor_) return false;
        if (last_ && now_ >= end_deadline()) {
            count_gap(drop_before(last_->next()));
            finish();
            return false;
        }
        state_ = State::stalled;
        return false;
    }
    auto const number = *target;
    auto const lost = drop_before(number);
    playhead_ = {number, 0};
    if (anchor_) {
        count_gap(lost);
        is_gap_pending_ = true;
    }
    return true;
}

/// Forgets what lies between the playhead and `target`; returns the media time lost so. Where an
/// epoch follows a pause of the publisher, that pause is no loss.
MediaTime Timeline::drop_before(ChunkNumber target) {
    if (playhead_.offset > 0) segments_.back().is_closed = true;
    auto lost = MediaTime::zero();
    auto reached = released_media_;
    auto expected = playhead_.chunk;
    for (auto at = known_.begin(); at != known_.end(); at = known_.begin()) {
        auto const& chunk = at->second.chunk;
        if (at->first != expected) lost += std::max(chunk.media_time - reached, MediaTime::zero());
        if (at->first >= target) break;
        auto const from = std::max(chunk.media_time, reached);
        lost += std::max(chunk.end() - from, MediaTime::zero());
        reached = std::max(reached, chunk.end());
        expected = at->first.next();
        erase_known(at);
    }
    return std::min(lost, media_time_max);
}

void Timeline::count_gap(MediaTime lost) {
    ++counters_.gaps;
    counters_.gap_time = std::min(counters_.gap_time + lost, 2 * media_time_max);
}

/// When the last chunk counts as lost; not while bytes still trickle in.
MonotonicTime Timeline::end_deadline() const {
    auto const at = known_.find(*last_);
    auto const media =
        at == known_.end() ? std::max(released_media_, newest_end_) : at->second.chunk.media_time;
    return std::max(due(media), saturated_add(last_release_, effective_latency()));
}

void Timeline::finish() {
    if (!segments_.empty()) segments_.back().is_closed = true;
    known_.clear();
    entries_.clear();
    state_ = State::ended;
}

} // namespace minuteswarm
