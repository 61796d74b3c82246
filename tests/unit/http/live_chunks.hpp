#pragma once

#include "base/bytes.hpp"
#include "http/live_parts.hpp"
#include "unit/playout/ts_builder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace minuteswarm::http_test {

/// Chunks of four seconds with a picture every 33 ms and a random access point every two seconds,
/// as the live edge brings them: in groups of eight pictures.
struct LiveChunks {
    Timeline::Segments segments;
    std::uint64_t frame = 3000; ///< of 90 kHz
    std::size_t group = 8;      ///< pictures that come at a time
    bool fails = false;         ///< reads
    bool is_noise = false;

    /// Its first `pictures` come.
    void grow(LiveParts& parts, std::uint64_t number, std::size_t pictures) {
        begin(number);
        auto& known = chunks_[{number}];
        for (auto at = known.given; at < pictures; at += group) {
            known.given = std::min(pictures, at + group);
            now_ += std::chrono::milliseconds{250};
            auto const is_last = known.given == count();
            auto const end = is_last ? known.bytes.size() : known.pictures.at(known.given);
            release(parts, end);
        }
    }
    /// All of it at once is there, read in pieces of `size` bytes.
    void feed_in_pieces(LiveParts& parts, std::uint64_t number, std::size_t size) {
        begin(number);
        auto const whole = chunks_[{number}].bytes.size();
        for (std::size_t end = size; end < whole + size; end += size) {
            now_ += std::chrono::milliseconds{5};
            release(parts, std::min(end, whole));
        }
        record(parts, number);
    }
    void record(LiveParts& parts, std::uint64_t number) {
        for (auto& segment : segments) {
            if (segment.chunk.number != ChunkNumber{number}) continue;
            segment.chunk.is_open = false;
            segment.chunk.duration = std::chrono::seconds{4};
            segment.chunk.wall_time =
                WallTime{std::chrono::seconds{1'700'000'000}} + segment.chunk.media_time;
        }
        read(parts);
    }
    void add_whole(LiveParts& parts, std::uint64_t number) {
        begin(number);
        auto& segment = segments.back();
        segment.released = segment.chunk.size = size({number});
        segment.is_closed = true;
        record(parts, number);
    }
    /// The next bytes of the newest chunk are lost.
    void cut_short(LiveParts& parts) {
        segments.back().is_closed = true;
        read(parts);
    }
    [[nodiscard]] std::size_t size(ChunkNumber number) const {
        return chunks_.at(number).bytes.size();
    }
    /// Those of the pictures from one to before another.
    [[nodiscard]] Bytes bytes(std::uint64_t number, std::size_t from, std::size_t to) {
        begin(number);
        auto const& known = chunks_[{number}];
        auto const end = to == count() ? known.bytes.size() : known.pictures.at(to);
        auto const first = known.pictures.at(from);
        auto const part = ByteView{known.bytes}.subspan(first, end - first);
        return {part.begin(), part.end()};
    }
    [[nodiscard]] bool begins_picture(ChunkNumber number, std::uint64_t offset) const {
        auto const& pictures = chunks_.at(number).pictures;
        return std::find(pictures.begin(), pictures.end(), offset) != pictures.end();
    }

private:
    struct Known {
        Bytes bytes;
        std::vector<std::size_t> pictures; ///< where they begin
        std::size_t given = 0;
    };

    [[nodiscard]] std::size_t count() const { return 360'000 / frame; }

    void begin(std::uint64_t number) {
        if (chunks_.contains({number})) return;
        auto& known = chunks_[{number}];
        playout_test::TsBuilder builder;
        for (std::size_t at = 0; at < count(); ++at) {
            auto const dts = (number - 1) * 360'000 + at * frame;
            auto const is_key = at * frame % 180'000 == 0;
            known.pictures.push_back(builder.bytes().size());
            if (is_key) builder.add_table();
            builder.add({.pid = 256, .pcr = dts, .pts = dts + 6000, .dts = dts, .is_key = is_key});
            builder.add({.pid = 256});
            if (at % 3 == 0) builder.add({.pid = 257, .pts = dts, .stream_id = 0xc0});
        }
        known.bytes = builder.bytes();
        if (is_noise) std::fill(known.bytes.begin(), known.bytes.end(), std::uint8_t{7});
        Timeline::Segment segment;
        segment.chunk.number = {number};
        segment.chunk.media_time = std::chrono::seconds{4} * static_cast<int>(number - 1);
        segment.chunk.is_open = true;
        segments.push_back(segment);
    }
    void release(LiveParts& parts, std::size_t end) {
        auto& segment = segments.back();
        segment.released = end;
        if (end == size(segment.chunk.number)) {
            segment.chunk.size = end;
            segment.is_closed = true;
        }
        read(parts);
    }
    void read(LiveParts& parts) {
        parts.update(segments);
        while (auto const wish = parts.wish()) {
            auto const bytes = ByteView{chunks_[wish->number].bytes};
            parts.feed(*wish, fails ? ByteView{} : bytes.subspan(wish->offset, wish->length), now_);
        }
    }

    std::map<ChunkNumber, Known> chunks_;
    MonotonicTime now_{std::chrono::hours{1}};
};

} // namespace minuteswarm::http_test
