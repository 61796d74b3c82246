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

MediaTime shown_duration(Timeline::Chunk const& chunk) {
    return std::max(chunk.duration, MediaTime::zero());
}

} // namespace

Playlist::Playlist(Options options)
    : options_(options) {}

void Playlist::update(std::deque<Timeline::Segment> const& segments, bool has_ended) {
    auto const is_new = [this](Timeline::Segment const& segment) {
        return segment.chunk.number > taken_;
    };
    auto const first_new =
        std::partition_point(segments.begin(), segments.end(), [&](auto const& segment) {
            return !is_new(segment);
        });
    for (auto segment = first_new; segment != segments.end(); ++segment) {
        auto const may_still_come =
            segment->awaits_record() && !has_ended && !is_passed(segments, *segment);
        if (may_still_come || !(segment->is_complete() || segment->is_closed)) break;
        taken_ = segment->chunk.number;
        if (segment->is_complete()) take(*segment);
    }
    while (!entries_.empty() &&
           (segments.empty() || entries_.front().chunk.number < segments.front().chunk.number)) {
        drop_oldest();
    }
    while (entries_.size() > options_.window)
        drop_oldest();
    has_ended_ = has_ended;
}

void Playlist::take(Timeline::Segment const& segment) {
    auto const& chunk = segment.chunk;
    auto const is_first = listed_ == ChunkNumber{};
    auto const follows = chunk.number == listed_.next() && !segment.after_gap;
    entries_.push_back({chunk, !is_first && (chunk.is_discontinuity || !follows)});
    listed_ = chunk.number;
    target_duration_ = std::max(target_duration_, rounded_seconds(shown_duration(chunk)));
}

void Playlist::drop_oldest() {
    ++media_sequence_;
    if (entries_.front().is_discontinuity) ++discontinuity_sequence_;
    entries_.pop_front();
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
    if (is_recording) text += "#EXT-X-START:TIME-OFFSET=0\n";
    auto const is_independent = [](Entry const& entry) { return entry.chunk.is_independent; };
    if (std::ranges::all_of(entries_, is_independent)) text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
    for (auto const& [chunk, is_discontinuity] : entries_) {
        if (is_discontinuity) text += "#EXT-X-DISCONTINUITY\n";
        auto const date = date_time(chunk.wall_time);
        if (!date.empty()) text += concat("#EXT-X-PROGRAM-DATE-TIME:", date, "\n");
        text += concat("#EXTINF:", decimal_seconds(shown_duration(chunk)), ",\n");
        text += concat("chunks/", chunk.number.value, ".", extension(container), "\n");
    }
    if (has_ended_) text += "#EXT-X-ENDLIST\n";
    return text;
}

} // namespace minuteswarm
