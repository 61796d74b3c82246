#include "segmenter/recorder.hpp"

#include "base/text.hpp"
#include "segmenter/stream_parameters.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace minuteswarm {
namespace {

using namespace std::chrono_literals;

// A pipe from a live encoder keeps its own pace; only one that is fed from a file runs so far
// ahead.
constexpr MediaTime pipe_lead = 2s;

// Without the need to be live, larger pieces cost less.
constexpr MediaTime fast_span = 250ms;

/// Takes over changed codec headers (FLV sends them with a packet). True if they did change.
bool take_new_extradata(AVCodecParameters& parameters, ByteView extradata) {
    if (extradata.empty()) return false;
    auto const old_size = static_cast<std::size_t>(std::max(parameters.extradata_size, 0));
    auto const is_same = old_size == extradata.size() &&
                         std::memcmp(parameters.extradata, extradata.data(), old_size) == 0;
    if (is_same) return false;
    auto* copy =
        static_cast<std::uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (!copy) throw std::bad_alloc();
    std::memcpy(copy, extradata.data(), extradata.size());
    av_freep(&parameters.extradata);
    parameters.extradata = copy;
    parameters.extradata_size = static_cast<int>(extradata.size());
    return true;
}

/// Keeps the newest parameters seen; true if they replaced others.
bool replace(Bytes& known, Bytes seen) {
    if (seen.empty() || seen == known) return false;
    auto const is_change = !known.empty();
    known = std::move(seen);
    return is_change;
}

void join(std::string& to, std::string_view separator, std::string const& part) {
    if (!to.empty()) to += separator;
    to += part;
}

} // namespace

Recorder::Recorder(Options options, Events events, std::stop_token stop)
    : options_(std::move(options))
    , events_(std::move(events))
    , stop_(std::move(stop))
    , source_(parse_source_url(options_.url))
    , started_at_(wall_now())
    , started_(MonotonicClock::now())
    , end_of_previous_(options_.first_media_time)
    , next_epoch_(options_.first_epoch) {}

std::optional<Error> Recorder::run() {
    while (auto input = open()) {
        auto const outcome = record_session(*input);
        end_epoch();
        if (outcome == Outcome::ended || outcome == Outcome::stopped || failure_) break;
        input.reset(); // gives up the port before a wait
        if (!has_progress_ && !wait_before_retry({})) break;
    }
    return std::exchange(failure_, std::nullopt);
}

/// Null when stopped or failed for good.
std::unique_ptr<AvInput> Recorder::open() {
    auto const is_listener = source_.kind == SourceKind::listener;
    if (is_listener) events_.on_waiting(concat("waiting for the encoder at ", source_.shown));
    for (;;) {
        auto opening = AvInput::open(source_, stop_);
        if (stop_.stop_requested()) return nullptr;
        if (opening.input) {
            had_session_ = true;
            return std::move(opening.input);
        }
        auto const is_worth_waiting = had_session_ || (is_listener && opening.is_temporary);
        if (!is_worth_waiting) {
            failure_ = Error{std::move(opening.failure)};
            return nullptr;
        }
        auto const is_turn_over = opening.failure.empty();
        if (!is_turn_over && !wait_before_retry(opening.failure)) return nullptr;
    }
}

/// False when stopped meanwhile.
bool Recorder::wait_before_retry(std::string const& reason) {
    if (!reason.empty()) warn_once(reason);
    return events_.sleep_until(MonotonicClock::now() + back_off_.next());
}

Recorder::Outcome Recorder::record_session(AvInput& input) {
    has_progress_ = false;
    if (!is_acceptable(input)) return Outcome::refused;
    is_paced_ = input.is_recorded() && !options_.as_fast_as_possible;
    pacer_.emplace(input.kind() == SourceKind::pipe ? pipe_lead : MediaTime{});

    Packet packet;
    for (;;) {
        switch (input.read(packet)) {
        case AvInput::Read::packet:
            if (!write(input, packet)) return Outcome::refused;
            if (!keep_pace()) return Outcome::stopped;
            break;
        case AvInput::Read::end:
            if (!start_over(input)) return Outcome::ended;
            break;
        case AvInput::Read::lost:
            if (source_.kind == SourceKind::live)
                events_.on_waiting(concat("lost ", source_.shown, "; connecting again"));
            return Outcome::lost;
        case AvInput::Read::stopped:
            return Outcome::stopped;
        }
    }
}

/// At the end of a recorded source: true when it goes on from its start.
bool Recorder::start_over(AvInput& input) {
    if (!writer_) {
        failure_ = Error{concat(source_.shown, " ended before a picture or sound could be shown")};
        return false;
    }
    if (!options_.is_looped) return false;
    if (input.kind() == SourceKind::pipe || !input.rewind()) {
        warn_once(concat(source_.shown, " cannot be played from its start again"));
        return false;
    }
    writer_->restart_source();
    return true;
}

/// Whether the session's streams fit the container of the event; says why not.
bool Recorder::is_acceptable(AvInput& input) {
    auto const* video = input.video();
    auto const* audio = input.audio();
    auto const container = container_for(
        video ? video->codecpar : nullptr, audio ? audio->codecpar : nullptr, options_.container
    );
    if (!container) {
        if (source_.kind == SourceKind::listener)
            warn_once(container.error().message);
        else
            failure_ = container.error();
        return false;
    }
    container_ = *container;
    video_ = input.video();
    audio_ = input.audio();
    video_parameters_.clear();
    audio_parameters_.clear();
    return true;
}

/// A stream turned up late. It is taken in, by a new epoch, if it fits the event's container.
void Recorder::adopt_streams(AvInput& input) {
    auto const* video = input.video();
    auto const* audio = input.audio();
    auto const container = container_for(
        video ? video->codecpar : nullptr, audio ? audio->codecpar : nullptr, options_.container
    );
    if (!container) {
        warn_once(concat("left out a stream that began late: ", container.error().message));
        return;
    }
    end_epoch();
    video_ = input.video();
    audio_ = input.audio();
}

/// False when nothing more can come of this session.
bool Recorder::write(AvInput& input, Packet& packet) {
    auto const read_at = wall_now();
    if (input.take_stream_change()) adopt_streams(input);
    auto const* stream = input.stream(packet->stream_index);
    if (stream != video_ && stream != audio_) return true;
    auto const is_video = stream == video_;
    if (have_parameters_changed(packet, is_video)) end_epoch();
    if (!writer_) {
        auto const can_start = !video_ || (is_video && packet.is_key());
        if (!can_start) return true;
        if (!begin_epoch(input)) return false;
    }
    writer_->write(packet, is_video, read_at);
    if (!writer_->is_failing()) return true;
    auto failure = concat(source_.shown, " holds nothing but damaged packets");
    if (source_.kind == SourceKind::listener)
        warn_once(failure);
    else
        failure_ = Error{std::move(failure)};
    return false;
}

/// False when stopped meanwhile.
bool Recorder::keep_pace() {
    if (!is_paced_ || !writer_) return true;
    auto const now = MonotonicClock::now();
    auto const due = pacer_->due(writer_->position(), now);
    return due <= now || events_.sleep_until(due);
}

bool Recorder::have_parameters_changed(Packet const& packet, bool is_video) {
    auto& parameters = *(is_video ? video_ : audio_)->codecpar;
    auto const has_new_headers =
        take_new_extradata(parameters, packet.side_data(AV_PKT_DATA_NEW_EXTRADATA));
    if (is_video && !packet.is_key()) return has_new_headers;
    auto& known = is_video ? video_parameters_ : audio_parameters_;
    return replace(known, parameter_bytes(parameters.codec_id, packet.bytes())) || has_new_headers;
}

bool Recorder::begin_epoch(AvInput& input) {
    EpochWriter::Options options;
    options.number = next_epoch_;
    options.container = container_;
    options.chunk_duration = options_.chunk_duration;
    options.first_media_time = next_media_time();
    if (options_.as_fast_as_possible) options.span = fast_span;
    auto writer = EpochWriter::open(
        options,
        video_,
        audio_,
        {events_.on_chunk_opened, events_.on_bytes, events_.on_chunk_closed, events_.on_warning}
    );
    if (!writer) {
        failure_ = writer.error();
        return false;
    }
    writer_ = *std::move(writer);
    ++next_epoch_;
    has_progress_ = true;
    back_off_.reset();
    options_.container = container_;
    last_warning_.clear();
    events_.on_epoch(describe_epoch(input, options.number));
    return true;
}

Epoch Recorder::describe_epoch(AvInput const& input, EpochNumber number) const {
    Epoch epoch{number, container_, {}, input.bitrate(), {}};
    auto is_every_name_known = true;
    for (auto const* stream : {video_, audio_}) {
        if (!stream) continue;
        auto const& parameters = stream == video_ ? video_parameters_ : audio_parameters_;
        auto const name = codec_name(*stream->codecpar, parameters);
        is_every_name_known &= !name.empty();
        join(epoch.codecs, ",", name);
        join(epoch.description, " + ", describe(*stream->codecpar, stream->avg_frame_rate));
    }
    if (!is_every_name_known) epoch.codecs.clear();
    return epoch;
}

void Recorder::end_epoch() {
    if (!writer_) return;
    writer_->finish();
    end_of_previous_ = std::max(end_of_previous_, writer_->end());
    writer_.reset();
}

/// A source that is tried again and again may fail the same way each time.
void Recorder::warn_once(std::string const& warning) {
    if (warning == last_warning_) return;
    last_warning_ = warning;
    events_.on_warning(warning);
}

/// Where the next epoch begins. Measured by the monotonic clock, so that a step of the wall clock
/// does not tear a hole.
MediaTime Recorder::next_media_time() const {
    if (options_.as_fast_as_possible) return end_of_previous_;
    auto const elapsed = std::chrono::duration_cast<MediaTime>(MonotonicClock::now() - started_);
    return std::max(end_of_previous_, started_at_ - options_.event_start + elapsed);
}

} // namespace minuteswarm
