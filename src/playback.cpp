#include "playback.hpp"

#include "base/limits.hpp"

namespace minuteswarm {
namespace {

std::string_view name_of(Timeline::State state) {
    switch (state) {
    case Timeline::State::starting:
        return "starting";
    case Timeline::State::live:
        return "live";
    case Timeline::State::stalled:
        return "stalled";
    case Timeline::State::ended:
        return "ended";
    }
    return "";
}

/// See Timeline::Options.
WallTime clock_origin() {
    auto const since = MonotonicClock::now().time_since_epoch();
    return wall_now() - std::chrono::duration_cast<MediaTime>(since);
}

std::chrono::milliseconds in_ms(MediaTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

} // namespace

Playback::Playback(EventLoop& loop, Store& store, Options options, Events events)
    : loop_(loop)
    , store_(store)
    , options_(std::move(options))
    , events_(std::move(events))
    , timeline_(timeline_options())
    , timer_(loop) {
    if (options_.output) file_ = std::make_unique<FileOutput>(loop_, *options_.output);
    if (options_.http) open_http(*options_.http);
}

void Playback::open_http(HttpServer::Options const& options) {
    HttpServer::Source& source = *this;
    http_ = std::make_unique<HttpServer>(loop_, source, options);
}

Timeline::Options Playback::timeline_options() const {
    auto options = options_.timeline;
    options.clock_origin = clock_origin();
    return options;
}

void Playback::begin_event(ChannelId const& channel, EventId event) {
    auto const is_first = event_.event == EventId{};
    event_ = ChunkKey{channel, event, {}, {}};
    if (is_first) return;
    // Cursors point into the old timeline: their clients have to come again.
    timeline_ = Timeline{timeline_options()};
    is_recording_ = false;
    is_stream_current_ = false;
    is_output_over_ = false;
    timeline_.set_edge(has_edge_);
    if (!http_) return;
    auto again = *options_.http;
    again.port = http_->local_endpoint().port();
    http_->stop();
    http_.reset();
    open_http(again);
}

void Playback::describe(std::string title, Container container) {
    title_ = std::move(title);
    container_ = container;
}

void Playback::add(Record const& record) {
    timeline_.add(Timeline::chunk_of(record));
}

void Playback::set_edge(bool has_edge) {
    has_edge_ = has_edge;
    timeline_.set_edge(has_edge);
}

void Playback::refresh(ChunkNumber number) {
    auto key = event_;
    key.number = number;
    timeline_.set_available(number, store_.verified(key));
}

void Playback::end(ChunkNumber last) {
    timeline_.end(last);
}

void Playback::start_at(Timeline::Position start) {
    timeline_.start_at(start);
}

void Playback::advance() {
    if (stopped_) return;
    auto const now = MonotonicClock::now();
    auto const state_before = timeline_.state();
    auto const has_changed = timeline_.advance(now);
    if (has_changed) {
        if (!first_byte_at_ && timeline_.counters().released_bytes > 0) first_byte_at_ = now;
        bound_window();
        if (http_) http_->on_timeline_changed();
        pump_output();
    }
    auto const is_new = has_changed || timeline_.state() != state_before; // stalled, too
    if (is_new && events_.on_advanced) events_.on_advanced();
    if (auto const next = timeline_.next_deadline()) {
        timer_.start_at(*next, [this] { advance(); });
    } else {
        timer_.cancel();
    }
}

/// A recording is as long as its records; a broadcast may have no end.
void Playback::bound_window() {
    auto const& segments = timeline_.segments();
    if (is_recording_ || segments.size() <= limits::dvr_window) return;
    timeline_.forget_before(segments[segments.size() - limits::dvr_window].chunk.number);
}

void Playback::read(ChunkNumber number, std::uint64_t offset, std::size_t length, ReadDone done) {
    auto key = event_;
    key.number = number;
    store_.read(key, offset, length, std::move(done));
}

void Playback::pump_output() {
    if (!file_ || is_writing_ || is_output_over_ || stopped_) return;
    if (!is_stream_current_) {
        if (timeline_.segments().empty() && timeline_.state() != Timeline::State::ended) return;
        is_stream_current_ = true;
        if (stream_) {
            stream_->continue_with(container_, Cursor::oldest());
        } else {
            stream_ = std::make_unique<OutputStream>(container_, Cursor::oldest());
        }
    }
    auto const slice = stream_->next(timeline_, limits::output_slice);
    if (!slice) {
        if (!stream_->has_ended(timeline_)) return;
        is_output_over_ = true;
        write_output(stream_->finish());
        return;
    }
    is_writing_ = true;
    auto const length = static_cast<std::size_t>(slice->length);
    read(
        slice->chunk,
        slice->offset,
        length,
        [this, slice = *slice, event = event_.event](auto error, SharedBytes bytes) {
            is_writing_ = false;
            // Retention was faster and the cursor moves on, or another event has begun.
            if (error || stopped_ || event != event_.event) return pump_output();
            write_output(stream_->feed(slice, *bytes));
        }
    );
}

void Playback::write_output(Bytes bytes) {
    is_writing_ = true;
    file_->write(std::move(bytes), [this](std::error_code error) {
        is_writing_ = false;
        if (stopped_) return;
        if (error) {
            is_output_over_ = true;
            if (events_.on_output) events_.on_output(error);
            return;
        }
        pump_output();
        if (is_output_over_ && events_.on_advanced) events_.on_advanced();
    });
}

bool Playback::is_done() const {
    if (timeline_.state() != Timeline::State::ended) return false;
    return !has_output_left();
}

std::vector<HttpServer::Client> Playback::clients() const {
    return http_ ? http_->clients() : std::vector<HttpServer::Client>{};
}

void Playback::fill(Status& status) const {
    auto const& counters = timeline_.counters();
    status.event = event_.event;
    status.title = title_;
    auto const has_ended = timeline_.state() == Timeline::State::ended;
    // Not over before the output has it all.
    auto const is_left = has_ended && has_output_left();
    status.state = name_of(is_left ? Timeline::State::live : timeline_.state());
    status.latency.now = in_ms(timeline_.latency_now());
    status.latency.target = in_ms(timeline_.effective_latency());
    status.playhead = timeline_.playhead();
    status.buffered = in_ms(timeline_.ahead(MonotonicClock::now()));
    status.on_time.bytes = counters.released_bytes - counters.late_bytes;
    status.on_time.late = counters.late_bytes;
    status.delays = counters.delays.histogram();
    status.gaps.count = counters.gaps;
    status.gaps.media_time = in_ms(counters.gap_time);
    status.clients = clients();
}

void Playback::stop() {
    if (stopped_) return;
    stopped_ = true;
    timer_.cancel();
    if (http_) http_->stop();
}

} // namespace minuteswarm
