#include "seeder.hpp"

#include "archive/event_torrent_file.hpp"
#include "base/text.hpp"
#include "feed/dht_item.hpp"
#include "older_records.hpp"
#include "swarm/link_endpoints.hpp"
#include "swarm_status.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

constexpr RenditionId only_rendition{0};
constexpr std::chrono::milliseconds gather_endpoints{300};
constexpr std::chrono::seconds tick_interval{2};
constexpr std::chrono::minutes dht_interval{30};
constexpr std::chrono::seconds dht_retry{5};
constexpr std::size_t repairs_at_once = 4;
constexpr std::chrono::seconds repair_patience{20}; ///< without a new piece, while others wait
constexpr std::size_t served_at_start = 30;

} // namespace

Seeder::Seeder(EventLoop& loop, Options options, Events events)
    : loop_(loop)
    , options_(std::move(options))
    , events_(std::move(events))
    , disk_(loop)
    , store_(loop, disk_, {})
    , timer_(loop)
    , ready_timer_(loop) {
    for (auto const& path : options_.folders) {
        auto folder = EventFolder::open(path);
        if (!folder) throw StartError{folder.error().message};
        if (auto const* const same = find(folder->channel(), folder->event())) {
            events_.on_warning(concat(
                path.string(),
                " is left out: it is the event that ",
                same->folder.path().string(),
                " holds as well"
            ));
            continue;
        }
        auto records = RecordFile::open(*folder, RecordFile::Access::read);
        if (!records) throw StartError{records.error().message};
        seeded_.push_back(std::make_unique<Seeded>(Seeded{
            .folder = *std::move(folder),
            .records = std::make_shared<RecordFile>(*std::move(records)),
            .verification = nullptr,
            .title = {},
            .end = {},
            .newest = {},
            .unchecked = {},
            .held = {},
            .complete = {},
            .last_expired = {},
            .next_dht_put = {},
        }));
        auto& event = *seeded_.back();
        event.verification = std::make_shared<Verification>(event.folder, *event.records);
    }
}

Seeder::~Seeder() {
    disk_.finish(); // its jobs use the events
}

Seeder::Seeded* Seeder::find(ChannelId const& channel, EventId event) {
    for (auto const& seeded : seeded_) {
        if (seeded->folder.channel() == channel && seeded->folder.event() == event)
            return seeded.get();
    }
    return nullptr;
}

ChunkTorrents::Announce Seeder::announcement() const {
    return {options_.trackers, options_.web_seeds, options_.network.dht};
}

void Seeder::start() {
    if (options_.http && !seeded_.empty()) {
        Playback::Options playback;
        playback.http = options_.http;
        playback_ = std::make_unique<Playback>(
            loop_, store_, playback, Playback::Events{[this] { return status(); }, {}, {}}
        );
        auto const& first = *seeded_.front();
        playback_->begin_event(first.folder.channel(), first.folder.event());
        if (auto const* known = first.records->descriptor()) {
            playback_->describe(known->value.title, known->value.container);
        }
        events_.on_http(playback_->url());
    }
    store_.on_disk_state = [this](DiskError error) {
        if (error) events_.on_warning(concat("cannot write the archive: ", error.message()));
    };
    open_swarm();
    for (std::size_t index = 0; index < seeded_.size(); ++index) {
        open_channel(*seeded_[index]);
        verify_next(index);
    }
    tick();
}

void Seeder::open_swarm() {
    Swarm::Events events;
    events.on_listening = [this](std::string const& endpoint) {
        events_.on_listening(endpoint);
        endpoints_.push_back(endpoint);
        ready_timer_.start_after(gather_endpoints, [this] { announce_ready(); });
    };
    events.on_listen_failed = [this](Error const& error) {
        if (endpoints_.empty()) finish(error);
    };
    events.on_external = [this](std::string const& endpoint) { endpoints_.push_back(endpoint); };
    events.chunks.on_complete = [this](ChunkKey const& key) {
        auto* const event = find(key.channel, key.event);
        if (!event) return;
        read_record(disk_, event->records, key, [this, event, key](auto const& record) {
            if (record && !is_finished_) on_repaired(*event, key, *record);
        });
    };
    events.chunks.load_record = [this](ChunkKey const& key, auto reply) {
        auto* const event = find(key.channel, key.event);
        if (!event) return reply(std::nullopt);
        read_record(disk_, event->records, key, std::move(reply));
    };
    events.on_dht_put = [this](ChannelId const& channel, std::size_t nodes) {
        if (nodes > 0) return;
        for (auto const& event : seeded_) { // the DHT was not there yet
            if (event->folder.channel() == channel)
                event->next_dht_put = MonotonicClock::now() + dht_retry;
        }
    };
    swarm_ = std::make_unique<Swarm>(
        loop_, store_, Swarm::Options{options_.network, true}, std::move(events)
    );
}

void Seeder::open_channel(Seeded& event) {
    auto const channel = event.folder.channel();
    if (!swarm_->find(channel)) {
        ChannelSwarm::Events events;
        events.on_have = [this,
                          channel](ChunkId const& chunk, PeerEndpoint const& peer, bool dial) {
            swarm_->on_have({channel, chunk.event, chunk.rendition, chunk.number}, peer, dial);
        };
        events.held = [this, channel] {
            std::vector<ChannelHandshake::HeldRange> held;
            for (auto const& seeded : seeded_) {
                if (seeded->folder.channel() != channel) continue;
                held.insert(held.end(), seeded->held.begin(), seeded->held.end());
            }
            if (held.size() > limits::held_ranges) held.resize(limits::held_ranges);
            return held;
        };
        events.on_newer_protocol = [this] {
            events_.on_warning("a peer speaks a newer protocol; update minuteswarm");
        };
        events.read_older = [this, channel](GetRecordsMessage const& wanted, auto reply) {
            auto* const asked = find(channel, wanted.event);
            if (!asked) return;
            read_records(disk_, asked->records, wanted, std::move(reply));
        };
        swarm_->open(
            {channel, ChannelSwarm::Role::seeder, options_.peers, options_.trackers},
            std::move(events)
        );
    }
    publish_feed(event, read_unpublished(*event.records, 0));
    event.unchecked = event.newest.next();
}

/// Reads the record file: before anything else does, or on the disk strand.
Seeder::Unpublished Seeder::read_unpublished(RecordFile const& records, std::size_t published) {
    Unpublished feed;
    if (auto const* known = records.descriptor()) {
        feed.title = known->value.title;
        feed.statements.push_back({StatementKind::descriptor, known->wire});
    }
    auto const numbers = records.numbers(only_rendition);
    feed.records = numbers.size();
    if (!numbers.empty()) feed.newest = numbers.back();
    auto const window = limits::feed_window;
    auto const first = numbers.size() > window ? numbers.size() - window : 0;
    for (auto i = std::max(first, published); i < numbers.size(); ++i) {
        if (auto const known = records.read(only_rendition, numbers[i])) {
            feed.statements.push_back({StatementKind::record, known->wire});
        }
    }
    if (auto const* known = records.end()) {
        feed.end = known->value;
        feed.statements.push_back({StatementKind::end, known->wire});
    }
    return feed;
}

void Seeder::publish_feed(Seeded& event, Unpublished const& feed) {
    auto* const channel = swarm_->find(event.folder.channel());
    auto const id = event.folder.event();
    channel->add_feed(id);
    for (auto const& statement : feed.statements)
        channel->publish(statement, id);
    event.title = feed.title;
    event.published = feed.records;
    event.newest = feed.newest;
    event.end = feed.end;
}

void Seeder::verify_next(std::size_t index) {
    auto* const event = seeded_[index].get();
    disk_.run(
        0,
        [verification = event->verification] { return verification->step(); },
        [this, index, event](std::optional<Verification::Checked> checked) {
            if (is_finished_) return;
            if (!checked) return on_verified(index);
            on_checked(*event, *checked);
            verify_next(index);
        }
    );
}

void Seeder::on_checked(Seeded& event, Verification::Checked const& checked) {
    auto const& record = checked.record;
    if (checked.is_part && checked.check.state != ChunkCheck::State::complete) {
        // Its publisher gives it its name, now or when it runs again; until then its bytes are not
        // to be touched.
        event.unchecked = std::min(event.unchecked, record.number);
        return;
    }
    if (checked.is_expired) {
        ++event.expired;
        event.last_expired = record.number;
        return;
    }
    ChunkKey const key{event.folder.channel(), record.event, record.rendition, record.number};
    store_.add(key, event.folder.chunk(record), record.size);
    auto const length = piece_length(record.size);
    for (std::size_t piece = 0; piece < checked.check.pieces.size(); ++piece) {
        if (checked.check.pieces[piece])
            store_.mark_verified(key, piece * length, (piece + 1) * length);
    }
    if (checked.check.state == ChunkCheck::State::complete) return on_complete(event, record);
    events_.on_warning(concat(
        "chunk ",
        record.number.value,
        checked.check.state == ChunkCheck::State::missing ? " is missing" : " is damaged",
        "; looking for peers that have it"
    ));
    to_repair_.push_back({key, record});
    repair_next();
}

void Seeder::on_complete(Seeded& event, Record const& record) {
    ChunkKey const key{event.folder.channel(), record.event, record.rendition, record.number};
    event.complete.push_back(key);
    add_held(event.held, {record.event, record.rendition, record.number});
    if (record.number.value + served_at_start > event.newest.value) {
        swarm_->chunks().add(key, record, {}, false);
        swarm_->chunks().announce(key, announcement());
    } else {
        swarm_->chunks().hold(key, record);
    }
    if (playback_ && &event == seeded_.front().get()) {
        playback_->add(record);
        playback_->refresh(record.number);
        if (!playback_->timeline().has_start()) playback_->start_at({record.number});
        playback_->advance();
    }
}

void Seeder::on_verified(std::size_t index) {
    auto& event = *seeded_[index];
    event.is_verified = true;
    if (auto const count = std::exchange(event.expired, 0); count > 0) {
        events_.on_notice(concat(
            count,
            " chunks, up to number ",
            event.last_expired.value,
            ", have expired: retention has deleted them"
        ));
    }
    add_event_torrent(event);
}

void Seeder::add_event_torrent(Seeded& event) {
    if (event.has_torrent || !event.is_verified || !event.end || !event.end->event_torrent) return;
    if (event.complete.size() != event.published) return;
    event.has_torrent = true;
    disk_.run(
        0,
        [folder = event.folder, wanted = *event.end->event_torrent]() -> std::optional<Bytes> {
            constexpr std::size_t torrent_size = 10 * limits::MiB;
            auto const bytes = read_file(folder.event_torrent(), torrent_size);
            auto const info = bytes ? torrent_info_dict(*bytes) : std::nullopt;
            if (!info || torrent_info_hash(*bytes) != wanted) return std::nullopt;
            return Bytes{info->begin(), info->end()};
        },
        [this, &event](std::optional<Bytes> const& info) {
            if (!is_finished_) serve_event_torrent(event, info);
        }
    );
}

void Seeder::serve_event_torrent(Seeded const& event, std::optional<Bytes> const& info) {
    if (!info) {
        return events_.on_warning(
            "event.torrent is missing or is not the one that the publisher signed"
        );
    }
    auto chunks = event.complete;
    std::sort(chunks.begin(), chunks.end());
    swarm_->chunks().add_event(*event.end->event_torrent, *info, std::move(chunks), announcement());
}

void Seeder::repair_next() {
    while (repairing_.size() < repairs_at_once && !to_repair_.empty()) {
        auto next = std::move(to_repair_.front());
        to_repair_.pop_front();
        auto* const event = find(next.key.channel, next.key.event);
        next.present = store_.verified(next.key).total();
        next.since = MonotonicClock::now();
        disk_.run( // a file that is too long stays so otherwise
            0,
            [file = event->folder.chunk(next.record), size = next.record.size] {
                std::error_code absent;
                if (std::filesystem::file_size(file, absent) > size && !absent) {
                    std::filesystem::resize_file(file, size, absent);
                }
                return true;
            },
            [this, event, key = next.key, record = next.record](bool) {
                if (is_finished_) return;
                if (store_.is_complete(key)) return on_repaired(*event, key, record);
                swarm_->fetch(key, record);
            }
        );
        repairing_.push_back(std::move(next));
    }
}

void Seeder::on_repaired(Seeded& event, ChunkKey const& key, Record const& record) {
    on_complete(event, record);
    events_.on_notice(concat("repaired chunk ", record.number.value));
    ++repaired_;
    std::erase_if(repairing_, [&](Repair const& one) { return one.key == key; });
    repair_next();
    add_event_torrent(event);
}

/// A chunk that nobody here has must not keep others from being repaired.
void Seeder::take_turns() {
    auto const now = MonotonicClock::now();
    for (auto repair = repairing_.begin(); repair != repairing_.end();) {
        auto const present = store_.verified(repair->key).total();
        if (present != repair->present) repair->since = now;
        repair->present = present;
        if (to_repair_.empty() || now - repair->since < repair_patience) {
            ++repair;
            continue;
        }
        swarm_->chunks().remove(repair->key);
        to_repair_.push_back(std::move(*repair));
        repair = repairing_.erase(repair);
    }
    repair_next();
}

/// A growing archive: what another process has appended.
void Seeder::refresh(std::size_t index) {
    auto* const event = seeded_[index].get();
    if (!event->is_verified || event->end) return;
    event->is_verified = false;
    struct Fresh {
        Unpublished feed;
        std::shared_ptr<Verification> verification;
    };
    disk_.run(
        0,
        [event,
         records = event->records,
         published = event->published,
         unchecked = event->unchecked] {
            (void)records->refresh(); // the next refresh tries again
            return Fresh{
                read_unpublished(*records, published),
                std::make_shared<Verification>(event->folder, *records, unchecked)};
        },
        [this, index, event](Fresh fresh) {
            if (is_finished_) return;
            event->verification = std::move(fresh.verification);
            publish_feed(*event, fresh.feed);
            event->unchecked = event->newest.next();
            verify_next(index);
        }
    );
}

void Seeder::announce_ready() {
    for (auto const& event : seeded_) {
        Link link;
        link.channel = event->folder.channel();
        link.title = event->title;
        link.peers = choose_link_endpoints(endpoints_);
        link.trackers = options_.trackers;
        link.web_seeds = options_.web_seeds;
        std::string magnet;
        if (event->end && event->end->event_torrent) {
            auto const name = event_folder_name(link.channel, event->folder.event());
            magnet = make_magnet(*event->end->event_torrent, name, options_.trackers);
        }
        events_.on_ready(event->folder.path(), link, magnet);
    }
}

void Seeder::put_dht_items() {
    auto const now = MonotonicClock::now();
    for (auto const& event : seeded_) {
        if (now < event->next_dht_put) continue;
        event->next_dht_put = now + dht_interval;
        disk_.run(
            0,
            [folder = event->folder] { return folder.load_dht_item(); },
            [this, event = event.get()](std::optional<Bytes> const& stored) {
                if (!is_finished_) put_dht_item(*event, stored);
            }
        );
    }
}

void Seeder::put_dht_item(Seeded& event, std::optional<Bytes> const& stored) {
    auto const item =
        stored ? decode_signed_dht_item(*stored) : Expected<SignedDhtItem>{Error{"none"}};
    if (!item) { // its publisher may yet store one
        event.next_dht_put = MonotonicClock::now() + dht_retry;
        return;
    }
    swarm_->put_signed_dht_item(
        event.folder.channel(), item->value, item->sequence, item->signature
    );
}

void Seeder::tick() {
    timer_.start_after(tick_interval, [this] {
        if (is_finished_) return;
        for (std::size_t index = 0; index < seeded_.size(); ++index)
            refresh(index);
        take_turns();
        put_dht_items();
        tick();
    });
}

void Seeder::finish(std::optional<Error> error) {
    if (is_finished_) return;
    is_finished_ = true;
    timer_.cancel();
    ready_timer_.cancel();
    if (playback_) playback_->stop();
    if (swarm_) swarm_->stop();
    events_.on_stopped(std::move(error));
}

Status Seeder::status() const {
    Status status;
    if (playback_) playback_->fill(status);
    status.role = "seed";
    status.uptime =
        std::chrono::duration_cast<std::chrono::milliseconds>(MonotonicClock::now() - started_);
    auto const& first = *seeded_.front();
    status.channel = first.folder.channel().hex();
    status.event = first.folder.event();
    status.title = first.title;
    status.newest_chunk = first.newest;
    status.state = first.end ? "ended" : "live";
    fill_swarm_status(status, *swarm_, *swarm_->find(first.folder.channel()));
    for (auto const& event : seeded_)
        status.chunks.held += event->complete.size();
    status.chunks.from_swarm = repaired_;
    status.disk.used = store_.disk_used();
    status.disk.is_failing = store_.is_disk_failing();
    status.memory_chunks = store_.memory_used();
    return status;
}

} // namespace minuteswarm
