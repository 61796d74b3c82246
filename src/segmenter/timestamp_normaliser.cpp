#include "segmenter/timestamp_normaliser.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace minuteswarm {
namespace {

constexpr AVRational tick{1, 90'000};

constexpr Ticks longest_pause = 10 * ticks_per_second;  // kept as a pause; longer is a jump
constexpr Ticks back_tolerance = ticks_per_second / 10; // rounding and sloppy muxers
constexpr Ticks stream_skew = 2 * ticks_per_second;     // between streams of one source
constexpr Ticks longest_reorder = 10 * ticks_per_second;
constexpr Ticks longest_frame = 10 * ticks_per_second;
constexpr Ticks fallback_duration = ticks_per_second / 25;

// Beyond this a position is nonsense, and arithmetic on it could overflow.
constexpr std::int64_t sane = std::int64_t{1} << 58;

bool is_sane(std::int64_t value) {
    return value > -sane && value < sane;
}

Ticks rescale(std::int64_t value, AVRational from, AVRational to) {
    return av_rescale_q_rnd(value, from, to, AV_ROUND_NEAR_INF);
}

/// `raw` plus the multiple of 2^bits that brings it nearest to `reference`.
std::int64_t nearest(std::int64_t raw, std::int64_t reference, int bits) {
    if (bits < 2 || bits > 56) return raw;
    auto const range = std::uint64_t{1} << static_cast<unsigned>(bits);
    auto const ahead =
        (static_cast<std::uint64_t>(raw) - static_cast<std::uint64_t>(reference)) & (range - 1);
    auto const signed_ahead = ahead < range / 2 ? static_cast<std::int64_t>(ahead)
                                                : -static_cast<std::int64_t>(range - ahead);
    return reference + signed_ahead;
}

TimestampNormaliser::Stamp without_nonsense(TimestampNormaliser::Stamp stamp) {
    if (stamp.pts && !is_sane(*stamp.pts)) stamp.pts.reset();
    if (stamp.dts && !is_sane(*stamp.dts)) stamp.dts.reset();
    if (!is_sane(stamp.duration)) stamp.duration = 0;
    return stamp;
}

} // namespace

TimestampNormaliser::TimestampNormaliser(std::vector<Stream> streams, Ticks start)
    : head_(start)
    , end_(start) {
    for (auto& stream : streams)
        states_.push_back({stream, {}, {}, {}, 0});
}

void TimestampNormaliser::reanchor() {
    newest_offset_.reset();
    for (auto& state : states_) {
        state.offset.reset();
        state.last_raw.reset();
    }
}

TimestampNormaliser::Normalised
TimestampNormaliser::normalise(std::size_t stream, Stamp const& given) {
    auto& state = states_.at(stream);
    auto const stamp = without_nonsense(given);

    Normalised out;
    if (auto const position = decoding_position(state, stamp)) {
        out.dts = place(state, *position);
    } else {
        out.dts = state.last_dts ? state.expected() : end_;
    }
    out.pts = out.dts;
    if (stamp.pts && state.offset) {
        auto const raw = nearest(*stamp.pts, *state.last_raw, state.stream.wrap_bits);
        out.pts = rescale(raw, state.stream.time_base, tick) + *state.offset;
    }
    if (state.last_dts) out.dts = std::max(out.dts, *state.last_dts + 1);
    if (out.pts < out.dts || out.pts - out.dts > longest_reorder) out.pts = out.dts;
    out.duration = duration_of(state, stamp, out.dts);

    state.last_dts = out.dts;
    state.last_duration = out.duration;
    head_ = std::max(head_, out.dts);
    end_ = std::max(end_, out.dts + out.duration);
    return out;
}

std::int64_t TimestampNormaliser::unwrap(State const& state, std::int64_t raw) const {
    if (state.last_raw) return nearest(raw, *state.last_raw, state.stream.wrap_bits);
    if (!newest_offset_) return raw;
    // Another stream may have wrapped before this one began.
    auto const reference = rescale(head_ - *newest_offset_, tick, state.stream.time_base);
    return nearest(raw, reference, state.stream.wrap_bits);
}

/// Source time at which the packet is decoded; nothing when the packet does not say.
std::optional<Ticks>
TimestampNormaliser::decoding_position(State& state, Stamp const& stamp) const {
    if (!stamp.dts && !stamp.pts) return std::nullopt;
    auto const raw = unwrap(state, stamp.dts ? *stamp.dts : *stamp.pts);
    auto const position = rescale(raw, state.stream.time_base, tick);
    if (!is_sane(raw) || !is_sane(position)) return std::nullopt;
    state.last_raw = raw;
    if (stamp.dts || state.stream.reordered_frames == 0) return position;

    // Only the presentation time is known: decoding goes on frame by frame, some frames ahead.
    if (state.offset && state.last_dts) {
        auto const next = state.expected() - *state.offset;
        if (std::abs(position - next) < stream_skew) return std::min(position, next);
    }
    auto const frame =
        state.stream.frame_duration > 0 ? state.stream.frame_duration : fallback_duration;
    return position - state.stream.reordered_frames * frame;
}

bool TimestampNormaliser::is_plausible(State const& state, Ticks dts) const {
    auto const is_near_others = std::abs(dts - head_) <= stream_skew;
    if (!state.last_dts) return is_near_others || std::abs(dts - head_) <= longest_pause;
    auto const ahead = dts - state.expected();
    if (ahead < -back_tolerance) return false;
    return ahead <= longest_pause || is_near_others;
}

/// Media time of a source position. Changes the stream's offset at a jump.
Ticks TimestampNormaliser::place(State& state, Ticks position) {
    auto const expected = state.last_dts ? state.expected() : head_;
    auto const miss = [&](Ticks offset) { return std::abs(position + offset - expected); };
    if (newest_offset_ && (!state.offset || miss(*newest_offset_) < miss(*state.offset))) {
        if (!state.offset || is_plausible(state, position + *newest_offset_))
            state.offset = newest_offset_;
    }
    if (!state.offset || !is_plausible(state, position + *state.offset)) {
        newest_offset_ = end_ - position;
        state.offset = newest_offset_;
    }
    return position + *state.offset;
}

Ticks TimestampNormaliser::duration_of(State const& state, Stamp const& stamp, Ticks dts) {
    auto const is_length = [](Ticks value) { return value > 0 && value <= longest_frame; };
    auto const given = rescale(stamp.duration, state.stream.time_base, tick);
    if (is_length(given)) return given;
    if (is_length(state.stream.frame_duration)) return state.stream.frame_duration;
    if (state.last_dts && is_length(dts - *state.last_dts)) return dts - *state.last_dts;
    return fallback_duration;
}

} // namespace minuteswarm
