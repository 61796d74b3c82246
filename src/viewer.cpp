#include "viewer.hpp"

#include "base/text.hpp"
#include "feed/statement_codec.hpp"
#include "torrent/info_dict.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr RenditionId only_rendition{0};
constexpr std::uint64_t start_window = 8; ///< records before the newest that a start is chosen from
constexpr std::chrono::milliseconds start_patience{1500};
constexpr std::chrono::milliseconds back_patience{1000}; // of the live edge, from as far back
constexpr std::chrono::seconds live_patience{4};         // or from any random access point
constexpr std::chrono::seconds front_patience{5};        // others may have what came before
constexpr std::chrono::seconds missing_after{3};
constexpr std::chrono::seconds fruitless_after{8};
constexpr std::chrono::milliseconds tick_interval{500};
constexpr std::chrono::seconds upload_idle{3};
constexpr std::chrono::seconds linger_most{30};
constexpr std::chrono::seconds lonely_after{30};
constexpr std::size_t latency_samples = 7200; // an hour of ticks

} // namespace

Viewer::Viewer(EventLoop& loop, Options options, Events events)
    : loop_(loop)
    , options_(std::move(options))
    , events_(std::move(events))
    , folder_(options_.cache, options_.keep)
    , disk_(loop)
    , store_(loop, disk_, {})
    , timer_(loop)
    , latencies_(latency_samples) {}

Viewer::~Viewer() {
    disk_.finish();
}

ChunkKey Viewer::key_of(ChunkNumber number) const {
    return {options_.link.channel, event_, only_rendition, number};
}

void Viewer::start() {
    last_peer_ = MonotonicClock::now();
    Playback::Events playback;
    playback.status = [this] { return status(); };
    playback.on_advanced = [this] { on_advanced(); };
    playback.on_output = [this](std::error_code error) {
        auto const closed = error == std::errc::broken_pipe;
        finish(closed ? std::nullopt : std::optional{Error{"-o: " + error.message()}});
    };
    playback_ = std::make_unique<Playback>(loop_, store_, options_.playback, std::move(playback));
    playback_->describe(options_.link.title, Container::mpeg_ts);
    if (options_.playback.http) events_.on_http(playback_->url());
    store_.on_disk_state = [this](DiskError error) {
        note_ = error ? concat("cannot write the cache: ", error.message()) : std::string{};
        if (error) events_.on_warning(note_ + "; playing from memory");
    };
    open_swarm();
    report_state();
    tick();
}

void Viewer::open_swarm() {
    Swarm::Events events;
    events.on_listening = [this](std::string const& endpoint) { events_.on_listening(endpoint); };
    events.on_listen_failed = [this](Error const& error) {
        if (options_.network.is_listen_explicit) finish(error);
    };
    events.on_dht_item = [this](DhtItem const& item, ChannelId const&) {
        if (!item.is_end && event_ == EventId{})
            events_.on_notice("the DHT knows this broadcast; connecting");
    };
    events.chunks.on_progress = [this](ChunkKey const& key) {
        if (key.event != event_) return;
        playback_->refresh(key.number);
        playback_->advance();
    };
    events.chunks.on_complete = [this](ChunkKey const& key) {
        ++from_swarm_;
        events_.on_chunk(key.number);
        update_fetches();
    };
    swarm_ = std::make_unique<Swarm>(
        loop_, store_, Swarm::Options{options_.network, false}, std::move(events)
    );

    ChannelSwarm::Events channel;
    channel.on_statement = [this](Statement const& statement, EventId event) {
        on_statement(statement, event);
    };
    channel.on_have = [this](ChunkId const& chunk, PeerEndpoint const& peer, bool dial) {
        if (chunk.event == event_) swarm_->on_have(key_of(chunk.number), peer, dial);
    };
    channel.on_newer_protocol = [this] {
        events_.on_warning("a peer speaks a newer protocol; update minuteswarm");
    };
    channel.held = [this] {
        std::vector<ChannelHandshake::HeldRange> held;
        for (auto const& [number, record] : records_) {
            if (!store_.is_complete(key_of(number))) continue;
            if (!held.empty() && held.back().last.next() == number) {
                held.back().last = number;
            } else if (held.size() < limits::held_ranges) {
                held.push_back({event_, only_rendition, number, number});
            }
        }
        return held;
    };
    auto peers = options_.link.peers;
    peers.insert(peers.end(), options_.peers.begin(), options_.peers.end());
    channel_ = &swarm_->open(
        {options_.link.channel,
         ChannelSwarm::Role::viewer,
         std::move(peers),
         options_.link.trackers},
        std::move(channel)
    );
}

void Viewer::follow(EventId event) {
    if (event_ != EventId{}) {
        events_.on_notice("the broadcast has started anew");
        for (auto const& [number, record] : records_) {
            swarm_->chunks().remove(key_of(number));
            store_.remove(key_of(number), true);
        }
    }
    event_ = event;
    records_.clear();
    asked_at_.clear();
    missing_.clear();
    has_end_ = false;
    first_record_at_.reset();
    done_at_.reset();
    playback_->begin_event(options_.link.channel, event);
    begin_edge();
}

void Viewer::on_statement(Statement const& statement, EventId event) {
    if (event < event_ || is_finished_) return;
    if (event > event_) follow(event);
    auto const body = *statement_body(statement.wire);
    switch (statement.kind) { // verified by the feed
    case StatementKind::descriptor:
        if (auto const descriptor = decode_descriptor(body)) {
            playback_->describe(descriptor->title, descriptor->container);
            if (edge_) edge_->on_descriptor(*descriptor);
            update_interest();
        }
        break;
    case StatementKind::record:
        if (auto const record = decode_record(body)) on_record(*record);
        break;
    case StatementKind::end:
        if (auto const end = decode_end(body)) on_end(end->last);
        break;
    }
}

void Viewer::on_record(Record const& record) {
    if (!first_record_at_) first_record_at_ = MonotonicClock::now();
    if (!records_.emplace(record.number, record).second) return;
    auto const key = key_of(record.number);
    store_.add(key, folder_.path() / chunk_name(key.channel, record), record.size);
    if (!edge_ || !edge_->on_record(record)) swarm_->chunks().hold(key, record);
    playback_->add(record);
    update_interest();
    try_start();
    if (is_update_posted_) return;
    is_update_posted_ = true; // once for all the records of a reply
    loop_.post([this] {
        is_update_posted_ = false;
        update_fetches();
    });
}

void Viewer::begin_edge() {
    if (!options_.network.edge) return;
    EdgeFollower::Events events;
    events.find_record = [this](ChunkNumber number) {
        auto const found = records_.find(number);
        return found == records_.end() ? nullptr : &found->second;
    };
    events.on_bytes = [this](ChunkNumber) {
        try_start();
        playback_->advance();
    };
    events.on_checked = [this](Record const& record) { on_edge_chunk(record); };
    edge_ = std::make_unique<EdgeFollower>(
        loop_,
        store_,
        disk_,
        *playback_,
        *channel_,
        EdgeFollower::Options{
            options_.link.channel, event_, only_rendition, folder_.path(), options_.network.uplink},
        std::move(events)
    );
}

/// A chunk that came over the live edge is closed: it is served, what it lacks is fetched.
void Viewer::on_edge_chunk(Record const& record) {
    auto const key = key_of(record.number);
    swarm_->chunks().hold(key, record);
    playback_->refresh(record.number);
    playback_->advance();
    if (!store_.is_complete(key)) return update_fetches();
    ++from_edge_;
    events_.on_chunk(record.number);
    swarm_->chunks().add(key, record, {}, false);
    auto const everybody = channel_->neighbourhood().all().size();
    auto const receivers = channel_->is_thrifty() ? limits::push_fanout : everybody;
    channel_->announce_complete({event_, only_rendition, record.number}, receivers);
}

void Viewer::on_end(ChunkNumber last) {
    has_end_ = true;
    last_ = last;
    playback_->end(last);
    update_interest();
    try_start();
    update_fetches();
    playback_->advance();
}

/// Which records are pulled: what a start is chosen from, then what lies ahead.
void Viewer::update_interest() {
    auto* const feed = channel_->newest_feed();
    if (!feed || is_finished_) return;
    if (auto const playhead = playback_->timeline().playhead()) {
        channel_->set_interest(playhead->chunk);
        if (has_end_) feed->keep_from(playhead->chunk);
        return;
    }
    if (has_end_) { // a finished event is played from its start, or what is left of it
        auto const first = front();
        feed->keep_from(first);
        channel_->set_interest(first);
        return;
    }
    auto const* newest = feed->newest(only_rendition);
    if (!newest) return;
    auto const number = newest->value.number.value;
    auto const has_edge = edge_ && (edge_->has_bytes() || edge_->is_waiting(MonotonicClock::now()));
    auto const window = has_edge ? 0 : start_window; // groups tell what a start needs
    channel_->set_interest(ChunkNumber{number > window ? number - window : 1});
}

void Viewer::try_start() {
    auto const& timeline = playback_->timeline();
    auto const now = MonotonicClock::now();
    if (timeline.has_start() || is_finished_) return;
    auto const has_edge = edge_ && edge_->has_bytes() && !has_end_;
    if (edge_ && edge_->is_waiting(now) && !has_end_) return;
    if (!first_record_at_ && !has_edge) return;
    if (has_end_) update_interest();
    auto* const feed = channel_->newest_feed();
    if (!has_edge) {
        if (!feed || records_.empty()) return;
        auto const newest = records_.rbegin()->first.value;
        ChunkNumber const from{newest > start_window ? newest - start_window : 1};
        auto const hole = feed->first_hole(only_rendition, has_end_ ? front() : from);
        if (hole && now - *first_record_at_ < start_patience) return;
    }
    auto const start = has_edge ? choose_live_start(now) : choose_start();
    if (!start) return;
    if (has_end_) playback_->play_as_recording();
    playback_->start_at(*start);
    update_interest();
    playback_->advance();
    update_fetches();
}

/// From what the live edge has brought; from the chunks, should it bring nothing to begin with.
std::optional<Timeline::Position> Viewer::choose_live_start(MonotonicTime now) const {
    auto const waited = now - edge_->first_bytes_at();
    auto const& timeline = playback_->timeline();
    auto const is_patient = waited < back_patience && !edge_->starts_near();
    if (auto const start = timeline.choose_live_start(is_patient)) return start;
    return waited < live_patience ? std::nullopt : choose_start();
}

/// Where the records of a finished event are wanted from while it has no start.
ChunkNumber Viewer::front() const {
    auto const is_patient =
        !first_record_at_ || MonotonicClock::now() - *first_record_at_ < front_patience;
    return is_patient ? ChunkNumber{1} : first_held();
}

std::optional<Timeline::Position> Viewer::choose_start() const {
    auto const chosen = playback_->timeline().choose_start();
    auto const held = first_held();
    if (!chosen || !has_end_ || held <= chosen->chunk) return chosen;
    if (front() < held) return std::nullopt;
    auto const found =
        std::find_if(records_.lower_bound(held), records_.end(), [](auto const& entry) {
            return entry.second.is_independent;
        });
    if (found == records_.end()) return chosen;
    auto const lost = concat("nobody here has the event before chunk ", found->first.value);
    events_.on_warning(lost);
    return Timeline::Position{found->first};
}

/// The first chunk while nobody says anything.
ChunkNumber Viewer::first_held() const {
    auto const& neighbours = channel_->neighbourhood();
    return neighbours.first_held(event_, only_rendition, last_).value_or(ChunkNumber{1});
}

FetchChunk Viewer::fetch_chunk(Record const& record) const {
    auto const key = key_of(record.number);
    FetchChunk chunk;
    chunk.number = record.number;
    chunk.duration = record.duration;
    chunk.size = record.size;
    auto present = store_.verified(key);
    // What is before the start of a viewer that joined in the middle is not played.
    auto const playhead = playback_->timeline().playhead();
    if (!has_end_ && playhead && playhead->chunk == record.number)
        present.add(0, std::min(playhead->offset, record.size));
    chunk.present = present.total();
    chunk.is_active = swarm_->chunks().is_wanted(key);
    if (!has_end_ || chunk.present > 0) return chunk;
    chunk.is_unheld = !channel_->neighbourhood().is_held({event_, only_rendition, record.number});
    chunk.is_fruitless = was_asked(record.number, fruitless_after);
    return chunk;
}

/// Whether neighbours have had so long to send something of a chunk.
bool Viewer::was_asked(ChunkNumber number, Duration ago) const {
    auto const asked = asked_at_.find(number);
    return asked != asked_at_.end() && MonotonicClock::now() - asked->second >= ago;
}

/// Says which chunks playing waits for in vain.
void Viewer::report_missing(std::vector<FetchChunk> const& known) {
    auto const end = std::ranges::find_if_not(known, [](FetchChunk const& chunk) {
        return chunk.is_unheld || chunk.is_fruitless;
    });
    std::string missing;
    if (end != known.begin() && was_asked(known.front().number, missing_after)) {
        auto const first = known.front().number.value;
        auto const last = std::prev(end)->number.value;
        missing = concat("nobody here has chunk ", first);
        if (last > first) missing = concat("nobody here has chunks ", first, " to ", last);
    }
    if (missing.empty() == missing_.empty()) return;
    missing_ = missing;
    if (!missing_.empty()) events_.on_warning(missing_);
}

void Viewer::update_fetches() {
    if (is_finished_ || !swarm_ || records_.empty()) return;
    auto const& timeline = playback_->timeline();
    auto const playhead = timeline.playhead();
    if (!playhead) return;
    FetchOptions const options;
    std::vector<FetchChunk> known;
    std::size_t hopeful = 0;
    for (auto next = records_.lower_bound(playhead->chunk); next != records_.end(); ++next) {
        if (edge_ && edge_->is_expected(next->first, MonotonicClock::now())) continue;
        auto const chunk = fetch_chunk(next->second);
        known.push_back(chunk);
        auto const is_hopeful = !chunk.is_unheld && !chunk.is_fruitless;
        if (is_hopeful && chunk.present < chunk.size) ++hopeful;
        if (has_end_ && hopeful == options.active) break; // no later one would be chosen
    }
    report_missing(known);
    FetchPosition const position{playhead->chunk, timeline.ahead(MonotonicClock::now()), has_end_};
    auto chosen = choose_fetches(known, position, options);
    auto const has_time = chosen.empty() && (options_.keep || options_.is_relay);
    if (!has_time) {
        swarm_->chunks().stop_before(key_of(playhead->chunk));
    } else if (auto const left_out = first_left_out()) {
        chosen.push_back(*left_out);
    }
    for (auto const number : chosen) {
        auto const key = key_of(number);
        if (!swarm_->chunks().is_wanted(key)) swarm_->fetch(key, records_.at(number));
        asked_at_.emplace(number, MonotonicClock::now());
    }
    asked_at_.erase(asked_at_.begin(), asked_at_.lower_bound(playhead->chunk));
    if (channel_->neighbourhood().all().empty()) asked_at_.clear();
}

/// The oldest chunk that was played with a gap, or not at all.
std::optional<ChunkNumber> Viewer::first_left_out() const {
    auto const found = std::ranges::find_if(records_, [this](auto const& entry) {
        return !store_.is_complete(key_of(entry.first));
    });
    return found == records_.end() ? std::nullopt : std::optional{found->first};
}

void Viewer::expire_chunks() {
    auto const playhead = playback_->timeline().playhead();
    if (!playhead) return;
    // What was played goes once the cache is full, oldest first; the playlist's window stays.
    while (records_.size() > limits::playlist_window * 2 &&
           (store_.disk_used() > options_.cache_size || records_.size() > limits::feed_window)) {
        auto const oldest = records_.begin()->first;
        if (oldest.value + limits::playlist_window >= playhead->chunk.value) return;
        swarm_->chunks().remove(key_of(oldest));
        store_.remove(key_of(oldest), true);
        records_.erase(records_.begin());
        playback_->forget_before(oldest.next());
    }
}

void Viewer::on_advanced() {
    report_state();
    update_interest();
    check_done();
}

void Viewer::report_state() {
    Status status;
    playback_->fill(status);
    if (status.state == state_) return;
    state_ = status.state;
    events_.on_state(state_);
}

void Viewer::check_done() {
    if (is_finished_ || !playback_->is_done()) return;
    auto const now = MonotonicClock::now();
    if (!done_at_) done_at_ = last_upload_ = now;
    auto const up = swarm_->totals().up_payload;
    if (up != up_payload_seen_) last_upload_ = now;
    up_payload_seen_ = up;
    // Others may still take from here; players may still read.
    auto const is_needed =
        now - last_upload_ < upload_idle && !channel_->neighbourhood().all().empty();
    auto const is_read = !playback_->clients().empty();
    if ((is_needed || is_read) && now - *done_at_ < linger_most) return;
    finish(std::nullopt);
}

void Viewer::tick() {
    timer_.start_after(tick_interval, [this] {
        if (is_finished_) return;
        auto const now = MonotonicClock::now();
        if (edge_) edge_->update(now);
        try_start();
        update_fetches();
        playback_->advance();
        expire_chunks();
        check_done();
        if (is_finished_) return;
        if (!channel_->neighbourhood().all().empty()) {
            if (note_.starts_with("no peers")) note_.clear();
            last_peer_ = now;
        } else if (now - last_peer_ >= lonely_after && note_.empty()) {
            note_ = "no peers for 30 s: is the broadcast on, and is the link right? Still trying";
            events_.on_warning(note_);
        }
        if (playback_->timeline().state() == Timeline::State::live) {
            latencies_.add(playback_->timeline().latency_now());
        }
        tick();
    });
}

void Viewer::stop() {
    finish(std::nullopt);
}

void Viewer::finish(std::optional<Error> error) {
    if (is_finished_) return;
    is_finished_ = true;
    timer_.cancel();
    if (playback_) playback_->stop();
    if (swarm_) swarm_->stop();
    events_.on_stopped(std::move(error));
}

} // namespace minuteswarm
