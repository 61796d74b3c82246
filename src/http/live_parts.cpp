#include "http/live_parts.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace minuteswarm {
namespace {

using namespace std::chrono_literals;

// Players stay three of them behind the newest part, so small ones; but not so small that a player
// asks for nothing but playlists.
constexpr std::array<MediaTime, 3> targets{330ms, 500ms, 1000ms};
constexpr MediaTime observed_enough = 2s;
constexpr auto burst_gap = 50ms; // the stripes of one group come closer together

/// A part has at least 85 % of the target (4.4.4.9).
MediaTime least(MediaTime target) {
    return target * 85 / 100;
}

} // namespace

LiveParts::Chunk const* LiveParts::find(ChunkNumber number) const {
    auto const is_it = [&](Coming const& coming) { return coming.chunk.number == number; };
    auto const found = std::find_if(coming_.begin(), coming_.end(), is_it);
    return found == coming_.end() ? nullptr : &found->chunk;
}

void LiveParts::update(Timeline::Segments const& segments) {
    auto const oldest = coming_.empty() ? ChunkNumber{} : coming_.front().chunk.number;
    auto first = segments.size();
    for (std::size_t looked = 0; first > 0 && looked < 2 * limits::part_chunks; ++looked) {
        if (segments[first - 1].chunk.number < oldest) break;
        --first;
    }
    for (auto at = first; at < segments.size(); ++at)
        if (segments[at].begin == 0) take(segments, at);
}

void LiveParts::take(Timeline::Segments const& segments, std::size_t at) {
    auto const& segment = segments[at];
    auto const number = segment.chunk.number;
    auto const newest = coming_.empty() ? ChunkNumber{} : coming_.back().chunk.number;
    if (segment.chunk.is_open && number > newest) {
        coming_.emplace_back().chunk.number = number;
        if (coming_.size() > limits::part_chunks) coming_.pop_front();
    }
    auto const is_it = [&](Coming const& coming) { return coming.chunk.number == number; };
    auto const found = std::find_if(coming_.begin(), coming_.end(), is_it);
    if (found == coming_.end() || found->chunk.is_done) return;
    auto& coming = *found;
    coming.released = segment.released;
    coming.is_cut_short = segment.is_closed && !segment.is_complete() && !segment.awaits_record();
    if (segment.is_complete()) {
        coming.duration = segment.chunk.duration;
    } else if (segment.awaits_record() && at + 1 < segments.size()) {
        auto const& next = segments[at + 1];
        auto const follows = next.chunk.number == number.next() && next.begin == 0;
        if (follows && !next.after_gap && !next.chunk.is_discontinuity)
            coming.duration = next.chunk.media_time - segment.chunk.media_time;
    }
    finish(coming);
}

std::optional<LiveParts::Wish> LiveParts::wish() const {
    for (auto const& coming : coming_) {
        if (coming.chunk.is_done || coming.fed >= coming.released) continue;
        auto const length =
            std::min<std::uint64_t>(coming.released - coming.fed, limits::output_slice);
        return Wish{coming.chunk.number, coming.fed, static_cast<std::size_t>(length)};
    }
    return std::nullopt;
}

void LiveParts::feed(Wish const& wish, ByteView bytes, MonotonicTime now) {
    auto const is_it = [&](Coming const& coming) { return coming.chunk.number == wish.number; };
    auto const found = std::find_if(coming_.begin(), coming_.end(), is_it);
    if (found == coming_.end() || found->fed != wish.offset) return;
    auto& coming = *found;
    if (bytes.size() != wish.length) {
        coming.chunk.is_done = true;
        return;
    }
    coming.fed += wish.length;
    auto const frames = coming.reader.feed(bytes);
    if (!target_ && !frames.empty()) {
        auto const before = coming.frames.empty() ? MediaTime::zero() : coming.frames.back().time;
        observe(frames, before, now);
    }
    coming.frames.insert(coming.frames.end(), frames.begin(), frames.end());
    if (coming.frames.size() > limits::chunk_frames) coming.chunk.is_done = true;
    cut(coming);
    finish(coming);
}

void LiveParts::observe(std::vector<TsFrame> const& frames, MediaTime before, MonotonicTime now) {
    auto const came = frames.back().time - before;
    for (auto const& frame : frames)
        longest_frame_ = std::max(longest_frame_, frame.time - std::exchange(before, frame.time));
    if (last_fed_) {
        observed_ += came;
        if (now - *last_fed_ >= burst_gap) ++bursts_;
    }
    last_fed_ = now;
    if (observed_ >= observed_enough) choose_target();
}

/// The smallest one into which what comes at a time fits, and whose 15 % a frame can't jump over.
void LiveParts::choose_target() {
    auto const burst = bursts_ == 0 ? MediaTime::zero() : observed_ / bursts_;
    auto const fits = [&](MediaTime target) {
        return longest_frame_ <= target - least(target) &&
               (burst * 115 / 100 <= target || target == targets.back());
    };
    auto const found = std::find_if(targets.begin(), targets.end(), fits);
    if (found != targets.end()) target_ = *found;
}

void LiveParts::cut(Coming& coming) {
    if (!target_) return;
    auto& chunk = coming.chunk;
    for (std::size_t at = 1; at < coming.frames.size() && !chunk.is_done;) {
        auto const span = coming.frames[at].time - coming.frames.front().time;
        auto const is_too_long = span > *target_;
        if ((is_too_long && at == 1) || chunk.parts.size() >= limits::chunk_parts) {
            chunk.is_done = true; // a picture that stands longer than any part may be
        } else if (is_too_long || span >= least(*target_)) {
            auto const count = is_too_long ? at - 1 : at;
            auto const end = coming.frames[count];
            add_part(coming, count, end.offset, end.time - coming.frames.front().time);
            at = 1;
        } else {
            ++at;
        }
    }
}

/// Once all bytes have been looked at: the last part ends where the chunk does. Of a chunk that was
/// cut short the last frames have no known length and are left out.
void LiveParts::finish(Coming& coming) {
    auto& chunk = coming.chunk;
    auto const is_over = coming.duration || coming.is_cut_short;
    if (chunk.is_done || !is_over || coming.fed < coming.released) return;
    if (!target_) choose_target();
    cut(coming);
    if (coming.duration && target_ && !coming.frames.empty() && !chunk.is_done) {
        // A record rounds, and what is left of a chunk need not be what its pictures say.
        auto const rest = std::clamp<MediaTime>(*coming.duration - chunk.duration, 1ms, *target_);
        add_part(coming, coming.frames.size(), coming.released, rest);
    }
    chunk.is_done = true;
    coming.frames.clear();
}

/// The first `frames` of them become a part that ends before the byte `end`.
void LiveParts::add_part(
    Coming& coming, std::size_t frames, std::uint64_t end, MediaTime duration
) {
    auto& chunk = coming.chunk;
    auto const first = coming.frames.begin();
    auto const past = first + static_cast<std::ptrdiff_t>(frames);
    auto const is_independent =
        std::any_of(first, past, [](TsFrame const& frame) { return frame.is_random_access_point; });
    chunk.parts.push_back({chunk.size, end - chunk.size, duration, is_independent});
    coming.frames.erase(first, past);
    chunk.size = end;
    chunk.duration += duration;
}

} // namespace minuteswarm
