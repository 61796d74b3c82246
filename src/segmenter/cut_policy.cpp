#include "segmenter/cut_policy.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <iomanip>
#include <utility>

namespace minuteswarm {
namespace {

using namespace std::chrono_literals;

constexpr MediaTime rounding = 1ms;       // source clocks tick in milliseconds
constexpr MediaTime longest_wait = 60s;   // for a keyframe, where the target isn't long itself
constexpr MediaTime shortest_rejoin = 1s; // a chunk that began anywhere ends at the next keyframe
constexpr auto largest =
    limits::chunk_size / 2; // records of larger chunks than twice this are refused

} // namespace

CutPolicy::CutPolicy(Options options)
    : options_(options)
    , longest_(std::max(std::min(options.target * 4, longest_wait), options.target * 3 / 2)) {}

bool CutPolicy::can_start(bool is_video, bool is_key) const {
    return !options_.has_video || (is_video && is_key);
}

void CutPolicy::start(MediaTime time) {
    last_keyframe_ = time;
    begin_chunk(time, true);
}

CutPolicy::Decision CutPolicy::decide(Arrival const& arrival) {
    auto const elapsed = arrival.time - chunk_start_;
    if (is_random_access(arrival)) {
        observe_keyframe(arrival);
        auto const is_due = elapsed >= options_.target - rounding;
        if (is_due || (!is_independent_ && elapsed >= shortest_rejoin)) {
            begin_chunk(arrival.time, true);
            return Decision::cut;
        }
    }
    if (elapsed < longest_ && (arrival.size < largest || elapsed <= 0s)) return Decision::keep;
    if (options_.has_video && elapsed >= longest_) warn(arrival.time - last_keyframe_, true);
    begin_chunk(arrival.time, false);
    return Decision::cut_anywhere;
}

bool CutPolicy::is_random_access(Arrival const& arrival) const {
    return options_.has_video ? arrival.is_video && arrival.is_key : true;
}

void CutPolicy::observe_keyframe(Arrival const& arrival) {
    auto const distance = arrival.time - last_keyframe_;
    last_keyframe_ = arrival.time;
    if (options_.has_video && distance * 2 > options_.target * 3) warn(distance, false);
}

void CutPolicy::warn(MediaTime keyframe_distance, bool is_at_least) {
    if (std::exchange(has_warned_, true)) return;
    auto const target = in_seconds(options_.target);
    warning_ = concat(
        "keyframes come ",
        is_at_least ? "more than " : "",
        std::setprecision(3),
        in_seconds(keyframe_distance),
        " s apart, so chunks get longer than ",
        target,
        " s; set the encoder's keyframe interval to ",
        target,
        " s (OBS: Output, Keyframe Interval; ffmpeg: -force_key_frames 'expr:gte(t,n_forced*",
        target,
        ")')"
    );
}

void CutPolicy::begin_chunk(MediaTime time, bool is_independent) {
    chunk_start_ = time;
    is_independent_ = is_independent;
}

std::optional<std::string> CutPolicy::take_warning() {
    return std::exchange(warning_, std::nullopt);
}

} // namespace minuteswarm
