#pragma once

#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "http/http_server.hpp"
#include "http/status.hpp"
#include "playout/file_output.hpp"
#include "playout/output_stream.hpp"
#include "playout/timeline.hpp"
#include "store/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace minuteswarm {

/// Wires store → timeline → outputs for one event at a time: the same behind `watch LINK`, `watch
/// FOLDER` and `publish --http`. Loop-only.
class Playback final : private HttpServer::Source {
public:
    struct Options {
        Timeline::Options timeline;
        std::optional<HttpServer::Options> http;
        std::optional<std::string> output; ///< path or `-`
    };
    struct Events {
        std::function<Status()> status;
        std::function<void()> on_advanced;              ///< the playhead moved or the state changed
        std::function<void(std::error_code)> on_output; ///< the output can take no more
    };

    Playback(EventLoop& loop, Store& store, Options options, Events events);

    /// Forgets what was, and plays this event.
    void begin_event(ChannelId const& channel, EventId event);
    void describe(std::string title, Container container);
    void add(Record const& record);
    /// Groups of the live edge, see Timeline.
    void mark(Timeline::Mark const& mark) { timeline_.mark(mark); }
    void set_size(ChunkNumber number, std::uint64_t size) { timeline_.set_size(number, size); }
    void set_edge(bool has_edge);
    void set_fed(bool is_fed) { timeline_.set_fed(is_fed); }
    /// What the store has verified of a chunk has changed.
    void refresh(ChunkNumber number);
    void end(ChunkNumber last);
    void start_at(Timeline::Position start);
    /// The event was over before: players get it from its start. Before the first byte.
    void play_as_recording() { is_recording_ = true; }
    void forget_before(ChunkNumber number) { timeline_.forget_before(number); }
    /// Releases what is due; also runs by itself at deadlines.
    void advance();

    Timeline const& timeline() override { return timeline_; }
    [[nodiscard]] Timeline const& timeline() const { return timeline_; }
    [[nodiscard]] std::optional<MonotonicTime> first_byte_at() const { return first_byte_at_; }
    /// The timeline has ended, and every output has taken all of it.
    [[nodiscard]] bool is_done() const;
    [[nodiscard]] std::vector<HttpServer::Client> clients() const;
    [[nodiscard]] std::string url() const { return http_ ? http_->url() : std::string{}; }
    void fill(Status& status) const;
    void stop();

private:
    void read(ChunkNumber number, std::uint64_t offset, std::size_t length, ReadDone done) override;
    Container container() override { return container_; }
    std::string title() override { return title_; }
    bool is_recording() override { return is_recording_; }
    std::string status_json() override { return to_json(events_.status()); }
    std::string metrics() override { return to_metrics(events_.status()); }

    [[nodiscard]] Timeline::Options timeline_options() const;
    void open_http(HttpServer::Options const& options);
    void bound_window();
    [[nodiscard]] bool has_output_left() const {
        return file_ && (!is_output_over_ || is_writing_);
    }
    void pump_output();
    void write_output(Bytes bytes);

    EventLoop& loop_;
    Store& store_;
    Options options_;
    Events events_;
    ChunkKey event_; ///< number unused
    Timeline timeline_;
    bool has_edge_ = false;
    std::string title_;
    Container container_ = Container::mpeg_ts;
    bool is_recording_ = false;
    std::optional<MonotonicTime> first_byte_at_;
    std::unique_ptr<FileOutput> file_;
    std::unique_ptr<OutputStream> stream_;
    bool is_stream_current_ = false; // it reads this event
    bool is_writing_ = false;
    bool is_output_over_ = false;
    std::unique_ptr<HttpServer> http_;
    Timer timer_;
    bool stopped_ = false;
};

} // namespace minuteswarm
