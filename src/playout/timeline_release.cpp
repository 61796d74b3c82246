#include "playout/bounded_time.hpp"
#include "playout/timeline.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::uint64_t steps_without_groups = 16; // of a chunk, whose bytes count as one

// Places where an output can join: more than a minute of random access points a second apart.
constexpr std::size_t entries_max = 64;

} // namespace

bool Timeline::advance(MonotonicTime now) {
    now_ = std::max(now_, now);
    auto has_changed = std::exchange(has_closed_, false);
    if (state_ == State::ended) return has_changed;
    if (last_ && last_->value == 0) {
        finish();
        return true;
    }
    if (!has_start_) return false;
    if (!waiting_since_) waiting_since_ = now_;
    if (anchor_) move_deadlines();
    if (is_too_early() && !start_elsewhere()) return false;
    if (release_present()) has_changed = true;
    while (!is_over() && skip_hole()) {
        has_changed = true;
        release_present();
    }
    if (is_over()) finish();
    return has_changed || state_ == State::ended;
}

/// Deadlines move later with longer chunks, without the live edge and with slower clocks; never
/// earlier.
void Timeline::move_deadlines() {
    auto const wanted = wanted_latency();
    delay_ += std::max(wanted - latency_in_force_, MediaTime::zero());
    latency_in_force_ = std::max(latency_in_force_, wanted);
    if (last_ || newest_end_ <= drift_seen_to_) return;
    drift_seen_to_ = newest_end_;
    auto const slack = std::chrono::duration_cast<MediaTime>(due(newest_end_) - now_);
    delay_ += drift_.note(now_, std::min(slack, latency_in_force_));
}

std::optional<MonotonicTime> Timeline::hole_deadline() const {
    if (!anchor_) {
        if (!waiting_since_) return std::nullopt;
        return saturated_add(*waiting_since_, effective_latency());
    }
    auto const at = known_.find(playhead_.chunk);
    auto const is_unknown = at == known_.end() || (playhead_.offset == 0 && !at->second.is_begun);
    if (is_unknown) return due(released_media_);
    return due(media_time_at(at->second.chunk, playhead_.offset));
}

/// The first byte starts the clock of all that follow. A chunk that has only begun to come says
/// nothing yet of how fast it comes: in a crowd that starts at once, it would end in a gap. Over
/// the live edge a chunk comes as slowly as it is recorded, and a fifth of a second says enough.
bool Timeline::is_too_early() const {
    if (anchor_ || last_ || now_ >= saturated_add(*waiting_since_, effective_latency()))
        return false;
    auto const first = known_.find(playhead_.chunk);
    return first == known_.end() || !has_enough_from(first->second, playhead_);
}

/// A start that has not come is left for one that has: over the live edge, waiting brings what is
/// next, not what was.
bool Timeline::start_elsewhere() {
    auto const target = has_edge_ ? next_entry() : std::nullopt;
    if (!target || !has_enough_from(known_.at(target->chunk), *target)) return false;
    drop_before(*target);
    playhead_ = *target;
    return true;
}

/// Who waits for as long as the latency waits no longer for more.
MediaTime Timeline::enough_to_start() const {
    auto const is_patient =
        !waiting_since_ || now_ < saturated_add(*waiting_since_, effective_latency());
    if (!has_edge_ || is_fed_ || !is_patient) return start_media;
    return std::clamp(effective_latency() / 2, start_media, most_start_media);
}

/// To start with.
bool Timeline::has_enough_from(Known const& known, Position at) const {
    auto const size = known.chunk.size;
    if (size > 0 && known.present_from(at.offset) >= size) return true;
    return !marks_.of(at.chunk).empty() && present_from(at) >= enough_to_start();
}

// Release

bool Timeline::release_present() {
    auto has_changed = false;
    for (auto at = known_.begin(); at != known_.end() && at->first == playhead_.chunk;
         at = known_.begin()) {
        auto const& known = at->second;
        if (auto const to = known.present_from(playhead_.offset); to > playhead_.offset) {
            release(known, to);
            has_changed = true;
        }
        if (known.chunk.size == 0 || playhead_.offset < known.chunk.size) break;
        close_segment();
        released_media_ = std::max(released_media_, end_of(known.chunk));
        playhead_ = {at->first.next(), 0};
        erase_known(at);
        has_changed = true;
    }
    return has_changed;
}

void Timeline::release(Known const& known, std::uint64_t to) {
    auto const& chunk = known.chunk;
    if (!anchor_) set_anchor(media_time_at(chunk, playhead_.offset));
    if (segments_.empty() || segments_.back().is_closed) begin_segment(chunk);
    note_entries(to);
    counters_.released_bytes += to - playhead_.offset;
    counters_.late_bytes += late_part(chunk, to);
    note_delays(chunk, to);
    segments_.back().released = to;
    playhead_.offset = to;
    released_media_ = media_time_at(chunk, to);
    marks_.drop_before(playhead_);
    last_release_ = now_;
    state_ = State::live;
}

void Timeline::begin_segment(Chunk const& chunk) {
    auto const begin = playhead_.offset;
    segments_.push_back({chunk, begin, begin, is_gap_pending_, false});
    if (std::exchange(is_gap_pending_, false)) entries_.clear();
    if (segments_.back().is_entry()) entries_.push_back({playhead_, media_time_at(chunk, begin)});
}

/// Where an output could join, in what is released next.
void Timeline::note_entries(std::uint64_t to) {
    auto const begin = segments_.back().position();
    for (auto const& [at, mark] : marks_.of(playhead_.chunk)) {
        auto const is_next = at >= playhead_ && at.offset < to && at != begin;
        if (is_next && mark.is_random_access_point) entries_.push_back({at, mark.media_time});
    }
    while (entries_.size() > entries_max)
        entries_.pop_front();
}

void Timeline::close_segment() {
    if (!segments_.empty()) segments_.back().is_closed = true;
}

void Timeline::set_anchor(MediaTime first) {
    anchor_ = now_;
    start_media_ = first;
    latency_in_force_ = wanted_latency();
    drift_seen_to_ = newest_end_;
    // An event younger than the latency: its next chunk takes as long to come as any other's.
    auto const distance = newest_end_ - first;
    if (!last_) delay_ = std::max(latency_in_force_ - distance, MediaTime::zero());
}

/// Without groups, the bytes of a chunk are taken to have come evenly.
void Timeline::note_delays(Chunk const& chunk, std::uint64_t to) {
    auto const here =
        options_.clock_origin + std::chrono::duration_cast<MediaTime>(now_.time_since_epoch());
    for (auto from = playhead_.offset; from < to;) {
        auto const [before, after] = marks_.around({chunk.number, from});
        auto end = after == nullptr ? to : std::min(to, after->first.offset);
        if (before == nullptr && after == nullptr && !chunk.is_open) {
            end = std::min(end, from + chunk.size / steps_without_groups + 1);
            auto const wall = chunk.wall_time + (chunk.media_time_at(from) - chunk.media_time);
            counters_.delays.add(wall, end - from, here);
        } else {
            auto const group = before == nullptr
                                   ? ReleaseDelays::Group{{chunk.number, 0}, chunk.wall_time}
                                   : ReleaseDelays::Group{before->first, before->second.wall_time};
            counters_.delays.add(group, {chunk.number, from}, end, here);
        }
        from = end;
    }
}

/// How many of the bytes from the playhead to `to` are due before now.
std::uint64_t Timeline::late_part(Chunk const& chunk, std::uint64_t to) const {
    auto first = playhead_.offset;
    auto last = to;
    while (first < last) {
        auto const middle = first + (last - first) / 2;
        if (due(media_time_at(chunk, middle)) < now_) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    return first - playhead_.offset;
}

// Skip

/// The next random access point behind the playhead that is present. A start is not moved to one
/// that ends in a gap at once, where marks can tell.
std::optional<Timeline::Position> Timeline::next_entry() const {
    for (auto const& [number, known] : known_) {
        auto const marks = marks_.of(number);
        auto const is_present = [&](Position at) {
            auto const is_any_enough = anchor_ || marks.empty();
            return is_any_enough ? known.has(at.offset) : has_enough_from(known, at);
        };
        auto const is_later = number > playhead_.chunk;
        if (is_later && known.chunk.is_independent && is_present({number, 0}))
            return Position{number, 0};
        for (auto const& [at, mark] : marks) {
            if (at > playhead_ && mark.is_random_access_point && is_present(at)) return at;
        }
    }
    return std::nullopt;
}

bool Timeline::skip_hole() {
    auto const hole = hole_deadline();
    if (!hole || now_ < *hole) return false;
    auto const target = next_entry();
    if (!target) {
        if (!anchor_) return false;
        if (last_ && now_ >= end_deadline()) {
            count_gap(drop_before({last_->next(), 0}));
            finish();
            return false;
        }
        state_ = State::stalled;
        return false;
    }
    auto const lost = drop_before(*target);
    playhead_ = *target;
    if (anchor_) {
        count_gap(lost);
        is_gap_pending_ = true;
    }
    return true;
}

/// Forgets what lies between the playhead and `target`; returns the media time lost so. Where an
/// epoch follows a pause of the publisher, that pause is no loss.
MediaTime Timeline::drop_before(Position target) {
    close_segment();
    auto lost = MediaTime::zero();
    auto reached = released_media_;
    auto expected = playhead_.chunk;
    auto is_end_known = true; // of the chunk before
    for (auto at = known_.begin(); at != known_.end(); at = known_.begin()) {
        auto const& [number, known] = *at;
        auto const& chunk = known.chunk;
        auto const follows = chunk.is_discontinuity || (is_end_known && known.is_begun);
        if (number != expected || !follows)
            lost += std::max(chunk.media_time - reached, MediaTime::zero());
        if (number > target.chunk) break;
        auto const is_target = number == target.chunk;
        auto const end = is_target ? media_time_at(chunk, target.offset) : end_of(chunk);
        lost += std::max(end - std::max(chunk.media_time, reached), MediaTime::zero());
        reached = std::max(reached, end);
        if (is_target) break;
        expected = number.next();
        is_end_known = !chunk.is_open;
        erase_known(at);
    }
    marks_.drop_before(target);
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
    close_segment();
    known_.clear();
    marks_.clear();
    state_ = State::ended;
}

} // namespace minuteswarm
