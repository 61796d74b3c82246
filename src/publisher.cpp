#include "publisher.hpp"

#include "base/text.hpp"
#include "edge/edge_parameters.hpp"
#include "older_records.hpp"
#include "swarm/link_endpoints.hpp"
#include "swarm/source_proof.hpp"
#include "torrent/info_dict.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr RenditionId only_rendition{0};
constexpr std::chrono::milliseconds gather_endpoints{300};
// What fails at once (no such file, no bytes) is told without a link before it.
constexpr std::chrono::milliseconds source_opens{700};
constexpr std::chrono::seconds dht_interval{60};
constexpr std::chrono::seconds dht_retry{5};
constexpr std::chrono::seconds upload_idle{3};
constexpr std::chrono::seconds linger_most{60};
constexpr std::size_t served_at_start = 30;
// A new chunk's first copies go to so many viewers, who pass it on: one of them may be lost, and
// each takes its share of the source's uplink from the others.
constexpr std::size_t first_receivers = 2;

void end_interrupted(EventWriter& writer, Publisher::Options const& options) {
    while (writer.prepare_end()) {
    }
    if (auto const ended = writer.end(options.trackers, options.web_seeds); !ended)
        throw StartError{ended.error().message};
}

std::shared_ptr<EventWriter>
open_writer(KeyFile& key, Publisher::Options const& options, Publisher::Events const& events) {
    auto writer = EventWriter::open(options.archive, key);
    if (writer && writer->refusal()) {
        events.on_warning(
            "the interrupted event can't be gone on with; it stays as it is, and a new one "
            "begins: " +
            *writer->refusal()
        );
    } else if (writer && options.is_new_event && writer->is_resumed()) {
        end_interrupted(*writer, options);
        events.on_notice("ended the interrupted event: " + writer->folder().path().string());
        writer = EventWriter::begin(options.archive, key);
    } else if (!writer && options.is_new_event) {
        auto const why = writer.error().message;
        writer = EventWriter::begin(options.archive, key);
        if (writer) events.on_warning("an interrupted event stays as it is: " + why);
    }
    if (!writer) throw StartError{writer.error().message};
    return std::make_shared<EventWriter>(*std::move(writer));
}

} // namespace

Publisher::Publisher(EventLoop& loop, KeyFile key, Options options, Events events)
    : loop_(loop)
    , key_(std::move(key))
    , options_(std::move(options))
    , events_(std::move(events))
    , disk_(loop)
    , writer_(open_writer(key_, options_, events_))
    , folder_(writer_->folder())
    , run_(random_id<RunId>())
    , store_(loop, disk_, {})
    , timer_(loop)
    , link_timer_(loop) {
    auto const& resumed = writer_->resumed();
    if (auto const* known = writer_->records().descriptor()) descriptor_ = known->value;
    descriptor_.event = folder_.event();
    next_number_ = resumed.next;
    descriptor_.revision = resumed.next_revision;
    descriptor_.title = options_.title.empty() ? descriptor_.title : options_.title;
    descriptor_.chunk_duration = options_.chunk_duration;
    if (!writer_->is_resumed()) descriptor_.start = wall_now();
}

Publisher::~Publisher() = default;

ChunkKey Publisher::key_of(ChunkNumber number) const {
    return {key_.key().channel(), folder_.event(), only_rendition, number};
}

void Publisher::start() {
    if (options_.http) {
        Playback::Options playback;
        playback.http = options_.http;
        playback_ = std::make_unique<Playback>(
            loop_, store_, playback, Playback::Events{[this] { return status(); }, {}, {}}
        );
        playback_->begin_event(key_.key().channel(), folder_.event());
        events_.on_http(playback_->url());
    }
    ChunkSteps::Events steps;
    steps.on_described = [this](Statement const& statement) {
        channel_->publish(statement, folder_.event());
    };
    steps.on_chunk = [this](EventWriter::Closed const& closed) { on_chunk(closed); };
    steps.on_ended = [this](EventWriter::Ended const& ended) { on_ended(ended); };
    steps.on_appended = [this](std::size_t bytes) {
        if (edge_) edge_->on_stored(bytes);
        if (recording_) recording_->consumed(bytes);
    };
    steps.on_failing = [this](Error const& error) {
        disk_failure_ = error.message;
        note_ = error.message + "; the recording waits until it works again";
        events_.on_warning(note_);
    };
    steps.on_recovered = [this] {
        note_.clear();
        events_.on_notice("the archive can be written again");
    };
    steps_ = std::make_unique<ChunkSteps>(loop_, disk_, writer_, std::move(steps));
    open_swarm();
    tick();
}

void Publisher::open_swarm() {
    Swarm::Events events;
    events.on_listening = [this](std::string const& endpoint) { on_listening(endpoint); };
    events.on_listen_failed = [this](Error const& error) {
        if (endpoints_.empty()) on_input_over(error);
    };
    events.on_external = [this](std::string const& endpoint) { endpoints_.push_back(endpoint); };
    events.chunks.load_record = [this](ChunkKey const& key, auto reply) {
        read_record(disk_, {writer_, &writer_->records()}, key, std::move(reply));
    };
    events.on_dht_put = [this](ChannelId const&, std::size_t nodes) {
        if (nodes == 0) next_dht_put_ = MonotonicClock::now() + dht_retry; // it was not there yet
    };
    swarm_ = std::make_unique<Swarm>(
        loop_, store_, Swarm::Options{options_.network, false}, std::move(events)
    );

    ChannelSwarm::Events channel;
    channel.prove_source = [this](SessionId const& own, SessionId const& receiver) {
        return prove_source(key_.key(), own, receiver);
    };
    channel.on_foreign_run = [this] {
        on_input_over(Error{
            "another publisher is using this channel's key: only one may; this one stops"});
    };
    channel.on_have = [](ChunkId const&, PeerEndpoint const&, bool) {};
    channel.on_newer_protocol = [this] {
        events_.on_warning("a peer speaks a newer protocol; update minuteswarm");
    };
    channel.held = [this] {
        std::vector<ChannelHandshake::HeldRange> held;
        if (kept_.empty()) return held;
        held.push_back({folder_.event(), only_rendition, kept_.front().number, kept_.back().number}
        );
        return held;
    };
    channel.read_older = [this](GetRecordsMessage const& wanted, auto reply) {
        read_records(disk_, {writer_, &writer_->records()}, wanted, std::move(reply));
    };
    channel_ = &swarm_->open(
        {key_.key().channel(), ChannelSwarm::Role::source, options_.peers, options_.trackers},
        std::move(channel)
    );
    publish_known_records();
}

void Publisher::publish_known_records() {
    channel_->add_feed(folder_.event());
    auto& records = writer_->records();
    if (auto const* known = records.descriptor()) {
        channel_->publish({StatementKind::descriptor, known->wire}, folder_.event());
    }
    auto const numbers = records.numbers(only_rendition);
    auto const skipped =
        numbers.size() > limits::feed_window ? numbers.size() - limits::feed_window : 0;
    for (auto i = skipped; i < numbers.size(); ++i) {
        auto const known = records.read(only_rendition, numbers[i]);
        std::error_code missing;
        if (!known ||
            std::filesystem::file_size(folder_.chunk(known->value), missing) != known->value.size) {
            continue; // retention has taken it
        }
        auto const& record = known->value;
        auto const key = key_of(record.number);
        store_.add(key, folder_.chunk(record), record.size);
        store_.mark_verified(key, 0, record.size);
        keep(record);
        if (numbers.size() - i <= served_at_start) {
            swarm_->chunks().add(key, record, {}, false);
        } else {
            swarm_->chunks().hold(key, record);
        }
        channel_->publish({StatementKind::record, known->wire}, folder_.event());
        if (playback_) {
            playback_->add(record);
            playback_->refresh(record.number);
        }
    }
}

void Publisher::on_listening(std::string const& endpoint) {
    auto const is_first = endpoints_.empty();
    endpoints_.push_back(endpoint);
    if (!is_first) return;
    start_recording();
    link_timer_.start_after(gather_endpoints, [this] {
        if (has_source_) return announce_link();
        link_timer_.start_after(source_opens, [this] { announce_link(); });
    });
}

void Publisher::announce_link() {
    Link link;
    link.channel = key_.key().channel();
    link.title = descriptor_.title;
    link.trackers = options_.trackers;
    link.web_seeds = options_.web_seeds;
    link.peers = choose_link_endpoints(endpoints_);
    if (!is_reachable_from_outside(link.peers) && !is_loopback_only(link.peers)) {
        events_.on_warning(
            "not reachable from outside: no public address is known; viewers find it "
            "by DHT or tracker, or forward the port"
        );
    }
    // Not before: trackers are told nothing while there is no port to tell.
    for (auto const& chunk : kept_)
        swarm_->chunks().announce(key_of(chunk.number), announcement());
    events_.on_ready(link, endpoints_.front());
    is_link_known_ = true;
}

void Publisher::start_recording() {
    if (is_finished_) return;
    auto const& resumed = writer_->resumed();
    Recording::Options options;
    options.url = options_.input;
    options.chunk_duration = options_.chunk_duration;
    options.as_fast_as_possible = options_.as_fast_as_possible;
    options.is_looped = options_.is_looped;
    options.first_media_time = resumed.media_end;
    options.first_epoch = resumed.next_epoch;
    options.event_start = descriptor_.start;
    options.container = resumed.container;

    Recording::Events events;
    events.on_epoch = [this](Recording::Epoch const& epoch) { on_epoch(epoch); };
    events.on_chunk_opened = [this](Recording::ClosedChunk const& opened) {
        Record opening;
        opening.event = folder_.event();
        opening.rendition = only_rendition;
        opening.run = run_;
        opening.epoch = opened.epoch;
        opening.number = next_number_;
        opening.media_time = opened.media_time;
        opening.wall_time = opened.wall_time;
        opening.container = descriptor_.container;
        opening.is_discontinuity = opened.is_discontinuity;
        opening.is_independent = opened.is_independent;
        ++next_number_;
        steps_->open_chunk(opening);
        if (edge_) edge_->open_chunk(opening.number, opening.is_discontinuity);
    };
    events.on_bytes = [this](MuxedSpan span) {
        steps_->append(span.bytes);
        if (edge_) edge_->add(std::move(span));
    };
    events.on_chunk_closed = [this](Recording::ClosedChunk const& closed) {
        steps_->close_chunk(closed.duration);
    };
    events.on_waiting = [this](std::string const& line) {
        has_source_ = true;
        if (!steps_->is_failing()) note_ = line;
        events_.on_warning(line);
    };
    events.on_warning = events_.on_warning;
    events.on_failed = [this](Error const& error) { on_input_over(error); };
    events.on_end = [this] { on_input_over(std::nullopt); };
    recording_ = std::make_unique<Recording>(loop_, std::move(options), std::move(events));
    recording_->start();
}

void Publisher::on_epoch(Recording::Epoch const& epoch) {
    has_source_ = true;
    if (!steps_->is_failing()) note_.clear();
    descriptor_.container = epoch.container;
    descriptor_.codecs = epoch.codecs;
    descriptor_.bitrate = epoch.bitrate;
    epoch_ = epoch.number;
    begin_edge();
    steps_->describe(descriptor_);
    ++descriptor_.revision;
    if (playback_) playback_->describe(descriptor_.title, epoch.container);
    events_.on_notice("recording " + epoch.description);
}

/// The run's parameters are fixed: its first epoch chooses them.
void Publisher::begin_edge() {
    if (edge_ || !options_.network.edge || options_.as_fast_as_possible) return;
    descriptor_.edge = choose_parameters(descriptor_.bitrate, options_.parity);
    descriptor_.edge.run = run_;
    channel_->begin_edge(
        {folder_.event(),
         only_rendition,
         descriptor_.edge,
         descriptor_.bitrate,
         options_.network.uplink,
         {},
         [](GroupHeader const&, std::vector<EdgeBytes> const&) {}}
    );
    edge_ = std::make_unique<EdgeSource>(
        loop_,
        GroupCutter::Options{folder_.event(), only_rendition, descriptor_.edge},
        [this](Group const& group) { channel_->edge()->publish(group, key_.key()); }
    );
}

void Publisher::on_chunk(EventWriter::Closed const& closed) {
    auto const& record = closed.record;
    if (edge_) edge_->close_chunk();
    auto const key = key_of(record.number);
    store_.add(key, closed.file, record.size);
    if (closed.bytes) store_.remember(key, 0, closed.bytes);
    store_.mark_verified(key, 0, record.size);
    swarm_->chunks().add(key, record, {}, false);
    swarm_->chunks().announce(key, announcement());
    channel_->announce_complete({key.event, key.rendition, key.number}, first_receivers);
    channel_->publish(closed.statement, folder_.event());
    keep(record);
    if (playback_) {
        playback_->add(record);
        playback_->refresh(record.number);
        if (!playback_->timeline().has_start()) playback_->start_at({record.number});
        playback_->advance();
    }
    expire_chunks();
    put_dht_item();
    state_bitrate(record);
    events_.on_chunk(record);
}

/// Few sources say it; without it whoever comes cannot tell what its uplink carries.
void Publisher::state_bitrate(Record const& record) {
    auto const seconds = in_seconds(record.duration);
    if (descriptor_.bitrate > 0 || record.epoch != epoch_ || seconds < 0.5 || is_over_) return;
    descriptor_.bitrate =
        static_cast<std::uint64_t>(static_cast<double>(record.size) * 8 / seconds);
    steps_->describe(descriptor_);
    ++descriptor_.revision;
}

void Publisher::keep(Record const& record) {
    kept_.push_back({record.number, record.media_time + record.duration, record.size});
    newest_.push_front(record);
    if (newest_.size() > limits::dht_chunks) newest_.pop_back();
}

ChunkTorrents::Announce Publisher::announcement() const {
    return {options_.trackers, options_.web_seeds, options_.network.dht};
}

void Publisher::expire_chunks() {
    for (auto const number : expired_chunks(options_.retain, kept_)) {
        swarm_->chunks().remove(key_of(number));
        store_.remove(key_of(number), true);
        if (playback_) playback_->forget_before(number.next());
        std::erase_if(kept_, [&](KeptChunk const& chunk) { return chunk.number == number; });
    }
}

void Publisher::put_dht_item() {
    auto const now = MonotonicClock::now();
    if (newest_.empty() || now < next_dht_put_) return;
    next_dht_put_ = now + dht_interval;
    DhtItem item;
    item.event = folder_.event();
    item.number = newest_.front().number;
    item.time = wall_now();
    item.is_end = ended_at_.has_value();
    for (auto const& record : newest_) {
        item.window.push_back(make_info_dict(key_.key().channel(), record).hash);
    }
    item.newest = item.window.front();
    swarm_->put_dht_item(
        key_.key(),
        item,
        dht_sequence_,
        [this](std::int64_t sequence, Signature const& signature, Bytes const& value) {
            dht_sequence_ = sequence;
            disk_.run(
                0,
                [folder = folder_, item = encode(SignedDhtItem{sequence, signature, value})] {
                    (void)folder.save_dht_item(item); // the next put stores it again
                }
            );
        }
    );
}

void Publisher::on_input_over(std::optional<Error> error) {
    if (is_over_) return;
    is_over_ = true;
    failure_ = std::move(error);
    if (failure_ || is_empty()) { // not the event's end: publishing again goes on with it
        steps_->then([this] { finish(); });
    } else {
        steps_->end(options_.trackers, options_.web_seeds);
    }
}

void Publisher::on_ended(EventWriter::Ended const& ended) {
    channel_->publish(ended.statement, folder_.event());
    ended_at_ = last_upload_ = MonotonicClock::now();
    next_dht_put_ = {};
    put_dht_item();
    std::string magnet;
    if (ended.torrent) {
        std::vector<ChunkKey> keys;
        for (auto const number : ended.chunks)
            keys.push_back(key_of(number));
        swarm_->chunks().add_event(
            *ended.torrent, ended.info_dict, std::move(keys), announcement()
        );
        auto const name = event_folder_name(key_.key().channel(), folder_.event());
        magnet = make_magnet(*ended.torrent, name, options_.trackers);
    }
    if (playback_) {
        playback_->end(kept_.empty() ? ChunkNumber{0} : kept_.back().number);
        playback_->advance();
    }
    events_.on_end(magnet, folder_.path());
    linger();
}

bool Publisher::is_empty() const {
    return !writer_->is_resumed() && next_number_ == writer_->resumed().next;
}

void Publisher::linger() {
    if (!ended_at_ || is_finished_ || (!is_link_known_ && !is_stopping_)) return;
    auto const now = MonotonicClock::now();
    auto const up = swarm_->totals().up_payload;
    if (up != up_payload_seen_) last_upload_ = now;
    up_payload_seen_ = up;
    auto const is_alone = channel_->neighbourhood().all().empty();
    if (is_alone || now - last_upload_ > upload_idle || now - *ended_at_ > linger_most) finish();
}

void Publisher::tick() {
    timer_.start_after(std::chrono::seconds{1}, [this] {
        linger();
        if (is_finished_) return;
        put_dht_item();
        tick();
    });
}

void Publisher::stop() {
    if (is_stopping_ || !recording_) return finish();
    is_stopping_ = true;
    if (steps_->is_failing()) { // what is in progress stays a part file, and is taken up next time
        failure_ = Error{
            disk_failure_ +
            "; what is recorded of the last chunk is kept, and the same command goes on with it"};
        return finish();
    }
    recording_->stop(); // what is in progress is closed, and on_end follows
}

void Publisher::finish() {
    if (is_finished_) return;
    is_finished_ = true;
    timer_.cancel();
    link_timer_.cancel();
    recording_.reset();
    edge_.reset();
    if (steps_) steps_->stop();
    if (playback_) playback_->stop();
    if (swarm_) swarm_->stop();
    if (is_empty()) { // leave no empty event behind
        disk_.run(0, [folder = folder_.path()] {
            std::error_code ignored;
            std::filesystem::remove_all(folder, ignored);
        });
    }
    events_.on_stopped(failure_);
}

} // namespace minuteswarm
