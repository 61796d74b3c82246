#include "http/playlist.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace minuteswarm {
namespace {

using std::chrono::seconds;

/// RFC 8216 4.3.3.1: durations are compared after rounding to the nearest second.
std::uint64_t rounded_seconds(MediaTime duration) {
    return static_cast<std::uint64_t>(std::chrono::round<seconds>(duration).count());
}

std::string decimal_seconds(MediaTime duration) {
    std::array<char, 48> text{};
    auto const whole = std::chrono::floor<seconds>(duration);
    std::snprintf(
        text.data(),
        text.size(),
        "%lld.%06lld",
        static_cast<long long>(whole.count()),
        static_cast<long long>((duration - whole).count())
    );
    return text.data();
}

/// ISO 8601 in UTC with milliseconds; empty for years that don't have four digits.
std::string date_time(WallTime time) {
    auto const day = std::chrono::floor<std::chrono::days>(time);
    auto const days_since_1970 = day.time_since_epoch().count();
    if (days_since_1970 < 0 || days_since_1970 >= 365 * 8000) return {};
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const clock{std::chrono::floor<std::chrono::milliseconds>(time - day)};
    std::array<char, 64> text{};
    std::snprintf(
        text.data(),
        text.size(),
        "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count())
    );
    return text.data();
}

/// Whether a later chunk is closed.
bool is_passed(Timeline::Segments const& segments, Timeline::Segment const& segment) {
    return std::any_of(segments.rbegin(), segments.rend(), [&](auto const& later) {
        return later.is_closed && later.chunk.number > segment.chunk.number;
    });
}

std::string part_uri(ChunkNumber number, std::size_t part, Container container) {
    return concat("parts/", number.value, "-", part, ".", extension(container));
}

MediaTime shown_duration(Timeline::Chunk const& chunk) {
    return std::max(chunk.duration, MediaTime::zero());
}

} // namespace

Playlist::Playlist(Options options)
    : options_(options) {}

void Playlist::update(Timeline::Segments const& segments, bool has_ended, LiveParts const* parts) {
    has_ended_ = has_ended;
    auto const is_new = [this](Timeline::Segment const& segment) {
        return segment.chunk.number > taken_;
    };
    auto segment = std::partition_point(segments.begin(), segments.end(), [&](auto const& each) {
        return !is_new(each);
    });
    while (segment != segments.end() && take_next(segments, *segment, parts))
        ++segment;
    pending_.reset();
    if (segment != segments.end() && segment->begin == 0 && is_new(*segment)) {
        auto next = entry_of(*segment, parts);
        if (!next.parts.empty()) pending_ = std::move(next);
    }
    while (!entries_.empty() &&
           (segments.empty() || entries_.front().chunk.number < segments.front().chunk.number)) {
        drop_oldest();
    }
    while (entries_.size() > options_.window)
        drop_oldest();
    part_target_ = parts != nullptr ? parts->target() : std::nullopt;
}

/// False if the segment may still become more.
bool Playlist::take_next(
    Timeline::Segments const& segments, Timeline::Segment const& segment, LiveParts const* parts
) {
    auto const number = segment.chunk.number;
    auto const* const known =
        parts != nullptr && segment.begin == 0 ? parts->find(number) : nullptr;
    auto const may_grow = known != nullptr && !known->is_done && !has_ended_;
    auto const is_complete = segment.is_complete();
    if (may_grow || !(is_complete || segment.is_closed)) return false;
    auto const is_all_listed = known != nullptr && known->size == segment.released;
    auto const is_record_late = is_all_listed || is_passed(segments, segment);
    if (segment.awaits_record() && !has_ended_ && !is_record_late) return false;
    taken_ = number;
    auto entry = entry_of(segment, parts);
    if (!is_complete && entry.parts.empty()) return true;
    if (!is_complete) {
        entry.is_cut_short = true;
        entry.chunk.duration = known->duration;
    }
    take(std::move(entry));
    return true;
}

Playlist::Entry Playlist::entry_of(Timeline::Segment const& segment, LiveParts const* parts) const {
    auto const& chunk = segment.chunk;
    auto const is_first = listed_ == ChunkNumber{};
    auto const follows = chunk.number == listed_.next() && !segment.after_gap;
    Entry entry{chunk, !is_first && (chunk.is_discontinuity || !follows), {}, false};
    auto const* const known =
        parts != nullptr && segment.begin == 0 ? parts->find(chunk.number) : nullptr;
    if (known != nullptr) entry.parts = known->parts;
    return entry;
}

void Playlist::take(Entry entry) {
    listed_ = entry.chunk.number;
    target_duration_ = std::max(target_duration_, rounded_seconds(shown_duration(entry.chunk)));
    entries_.push_back(std::move(entry));
}

void Playlist::drop_oldest() {
    ++media_sequence_;
    if (entries_.front().is_discontinuity) ++discontinuity_sequence_;
    entries_.pop_front();
}

ChunkNumber Playlist::next_chunk() const {
    return pending_ ? pending_->chunk.number : taken_.next();
}

/// The first entry that ends less than three target durations before the playlist does (6.2.2).
std::size_t Playlist::first_with_parts() const {
    auto behind = MediaTime::zero();
    if (pending_)
        for (auto const& part : pending_->parts)
            behind += part.duration;
    auto first = entries_.size();
    while (first > 0 && behind < longest_wait()) {
        --first;
        behind += shown_duration(entries_[first].chunk);
    }
    return first;
}

std::optional<MediaTime> Playlist::part_target() const {
    auto const has_parts = [](Entry const& entry) { return !entry.parts.empty(); };
    auto const first = entries_.begin() + static_cast<std::ptrdiff_t>(first_with_parts());
    if (pending_ || std::any_of(first, entries_.end(), has_parts)) return part_target_;
    return std::nullopt;
}

Playlist::Answer Playlist::answer(Wanted const& wanted) const {
    auto const target = part_target();
    if (!target || has_ended_) return Answer::now;
    auto const next = media_sequence_ + entries_.size();
    auto [sequence, part] = wanted;
    auto last = sequence == next && pending_ ? pending_->parts.size() : 0;
    if (!entries_.empty() && sequence + 1 == next) last = entries_.back().parts.size();
    auto const ahead = seconds{3} / std::min<MediaTime>(*target, seconds{1});
    auto const is_far =
        part && sequence + 1 >= next && *part > last + static_cast<std::uint64_t>(ahead);
    if (sequence > next + 1 || is_far) return Answer::never;
    // Behind the last part of a segment comes the first one of the next.
    if (part && sequence + 1 == next && *part >= std::max<std::uint64_t>(last, 1)) {
        ++sequence;
        part = 0;
    }
    auto const has_part = pending_ && part && *part < pending_->parts.size();
    return sequence < next || (sequence == next && has_part) ? Answer::now : Answer::later;
}

bool Playlist::is_expected(ChunkNumber number, std::uint64_t part) const {
    if (has_ended_ || !part_target()) return false;
    auto const known = pending_ ? pending_->parts.size() : 0;
    return number == next_chunk() && part <= known;
}

std::string Playlist::low_latency_tags() const {
    auto const target = part_target();
    if (!target || has_ended_) return {};
    return concat(
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=",
        decimal_seconds(3 * *target),
        "\n#EXT-X-PART-INF:PART-TARGET=",
        decimal_seconds(*target),
        "\n"
    );
}

std::string Playlist::text(Container container, bool is_recording) const {
    auto text = concat(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:",
        target_duration_,
        "\n#EXT-X-MEDIA-SEQUENCE:",
        media_sequence_,
        "\n#EXT-X-DISCONTINUITY-SEQUENCE:",
        discontinuity_sequence_,
        "\n"
    );
    auto const is_low_latency = part_target() && !has_ended_;
    text += low_latency_tags();
    if (is_recording) text += "#EXT-X-START:TIME-OFFSET=0\n";
    auto const is_independent = [](Entry const& entry) { return entry.chunk.is_independent; };
    if (std::ranges::all_of(entries_, is_independent) && (!pending_ || is_independent(*pending_)))
        text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
    auto const parts_from = is_low_latency ? first_with_parts() : entries_.size();
    for (std::size_t at = 0; at < entries_.size(); ++at) {
        auto const& entry = entries_[at];
        text += head_of(entry, at >= parts_from, container);
        text += concat("#EXTINF:", decimal_seconds(shown_duration(entry.chunk)), ",\n");
        auto const* const folder = entry.is_cut_short ? "parts/" : "chunks/";
        text += concat(folder, entry.chunk.number.value, ".", extension(container), "\n");
    }
    if (has_ended_) text += "#EXT-X-ENDLIST\n";
    if (!is_low_latency) return text;
    if (pending_) text += head_of(*pending_, true, container);
    auto const next = part_uri(next_chunk(), pending_ ? pending_->parts.size() : 0, container);
    return text + concat("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"", next, "\"\n");
}

/// What stands before a segment's duration.
std::string Playlist::head_of(Entry const& entry, bool has_parts, Container container) {
    std::string text;
    if (entry.is_discontinuity) text += "#EXT-X-DISCONTINUITY\n";
    auto const date = entry.chunk.is_open ? std::string{} : date_time(entry.chunk.wall_time);
    if (!date.empty()) text += concat("#EXT-X-PROGRAM-DATE-TIME:", date, "\n");
    for (std::size_t at = 0; has_parts && at < entry.parts.size(); ++at) {
        auto const& part = entry.parts[at];
        text += concat("#EXT-X-PART:DURATION=", decimal_seconds(part.duration), ",URI=\"");
        text += concat(part_uri(entry.chunk.number, at, container), "\"");
        text += part.is_independent ? ",INDEPENDENT=YES\n" : "\n";
    }
    return text;
}

} // namespace minuteswarm
