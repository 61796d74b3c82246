#include "seeder.hpp"

#include "archive/event_torrent_file.hpp"
#include "base/text.hpp"
#include "feed/dht_item.hpp"
#include "swarm/link_endpoints.hpp"
#include "swarm_status.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr RenditionId only_rendition{0};
constexpr std::chrono::milliseconds gather_endpoints{300};
constexpr std::chrono::seconds tick_interval{2};
constexpr std::chrono::minutes dht_interval{30};
constexpr std::size_t repairs_at_once = 4;
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
        auto records = RecordFile::open(*folder, RecordFile::Access::read);
        if (!records) throw StartError{records.error().message};
        seeded_.push_back(std::make_unique<Seeded>(Seeded{
            .folder = *std::move(folder),
            .records = std::make_shared<RecordFile>(*std::move(records)),
            .verification = nullptr,
            .title = {},
            .end = {},
            .newest = {},
            .held = {},
            .complete = {},
            .last_dht_put = {},
        }));
        auto& event = *seeded_.back();
        event.verification = std::make_shared<Verification>(event.folder, *event.records);
    }
}

Seeder::~Seeder() = default;

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
        disk_.run(
            0,
            [records = event->records, key]() -> std::optional<Record> {
                auto record = records->read(key.rendition, key.number);
                return record ? std::optional{record->value} : std::nullopt;
            },
            [this, event](std::optional<Record> record) {
                if (!record || is_finished_) return;
                on_complete(*event, *record);
                events_.on_notice(concat("repaired chunk ", record->number.value));
                ++repaired_;
                if (repairing_ > 0) --repairing_;
                repair_next();
                add_event_torrent(*event);
            }
        );
    };
    events.chunks.load_record = [this](ChunkKey const& key, auto reply) {
        auto* const event = find(key.channel, key.event);
        if (!event) return reply(std::nullopt);
        disk_.run(
            0,
            [records = event->records, key]() -> std::optional<Record> {
                auto record = records->read(key.rendition, key.number);
                return record ? std::optional{record->value} : std::nullopt;
            },
            std::move(reply)
        );
    };
    swarm_ = std::make_unique<Swarm>(
        loop_, store_, Swarm::Options{options_.network, false}, std::move(events)
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
            events_.on_notice("a peer speaks a newer protocol; update minuteswarm");
        };
        events.read_older = [this, channel](GetRecordsMessage const& wanted, auto reply) {
            auto* const asked = find(channel, wanted.event);
            if (!asked) return;
            disk_.run(
                0,
                [records = asked->records, wanted] {
                    return records->read_range(
                        wanted.rendition, wanted.first, wanted.count, limits::records_reply_size
                    );
                },
                std::move(reply)
            );
        };
        swarm_->open(
            {channel, ChannelSwarm::Role::seeder, options_.peers, options_.trackers},
            std::move(events)
        );
    }
    publish_feed(event);
}

/// Makes what the record file holds, and the feed does not yet, part of the feed.
void Seeder::publish_feed(Seeded& event) {
    auto* const channel = swarm_->find(event.folder.channel());
    auto const id = event.folder.event();
    channel->add_feed(id);
    if (auto const* known = event.records->descriptor()) {
        event.title = known->value.title;
        channel->publish({StatementKind::descriptor, known->wire}, id);
    }
    auto const numbers = event.records->numbers(only_rendition);
    auto const window = limits::feed_window;
    auto first = numbers.size() > window ? numbers.size() - window : 0;
    for (auto i = std::max(first, event.published); i < numbers.size(); ++i) {
        if (auto const known = event.records->read(only_rendition, numbers[i])) {
            channel->publish({StatementKind::record, known->wire}, id);
        }
    }
    event.published = numbers.size();
    if (!numbers.empty()) event.newest = numbers.back();
    if (auto const* known = event.records->end()) {
        event.end = known->value;
        channel->publish({StatementKind::end, known->wire}, id);
    }
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
    ChunkKey const key{event.folder.channel(), record.event, record.rendition, record.number};
    store_.add(key, event.folder.chunk(record), record.size);
    auto const length = piece_length(record.size);
    for (std::size_t piece = 0; piece < checked.check.pieces.size(); ++piece) {
        if (checked.check.pieces[piece])
            store_.mark_verified(key, piece * length, (piece + 1) * length);
    }
    if (checked.check.state == ChunkCheck::State::complete) return on_complete(event, record);
    events_.on_notice(concat(
        "chunk ",
        record.number.value,
        checked.check.state == ChunkCheck::State::missing ? " is missing" : " is damaged",
        "; looking for peers that have it"
    ));
    to_repair_.emplace_back(key, record);
    repair_next();
}

void Seeder::on_complete(Seeded& event, Record const& record) {
    ChunkKey const key{event.folder.channel(), record.event, record.rendition, record.number};
    event.complete.push_back(key);
    auto& held = event.held;
    if (!held.empty() && held.back().last.next() == record.number) {
        held.back().last = record.number;
    } else {
        held.push_back({record.event, record.rendition, record.number, record.number});
    }
    if (record.number.value + served_at_start > event.newest.value) {
        swarm_->chunks().add(key, record, {}, false);
        swarm_->chunks().announce(key, announcement());
    } else {
        swarm_->chunks().hold(key, record);
    }
    if (playback_ && &event == seeded_.front().get()) {
        playback_->add(record);
        playback_->refresh(record.number);
        if (!playback_->timeline().has_start()) playback_->start_at(record.number);
        playback_->advance();
    }
}

void Seeder::on_verified(std::size_t index) {
    auto& event = *seeded_[index];
    event.is_verified = true;
    add_event_torrent(event);
}

void Seeder::add_event_torrent(Seeded& event) {
    if (event.has_torrent || !event.is_verified || !event.end || !event.end->event_torrent) return;
    if (event.complete.size() != event.published) return;
    constexpr std::size_t torrent_size = 10 * limits::MiB;
    auto const bytes = read_file(event.folder.event_torrent(), torrent_size);
    auto const info = bytes ? torrent_info_dict(*bytes) : std::nullopt;
    if (!info || torrent_info_hash(*bytes) != event.end->event_torrent) {
        return events_.on_notice(
            "event.torrent is missing or is not the one that the publisher signed"
        );
    }
    auto chunks = event.complete;
    std::sort(chunks.begin(), chunks.end());
    swarm_->chunks().add_event(
        *event.end->event_torrent, {info->begin(), info->end()}, std::move(chunks), announcement()
    );
    event.has_torrent = true;
}

void Seeder::repair_next() {
    while (repairing_ < repairs_at_once && !to_repair_.empty()) {
        auto const [key, record] = to_repair_.front();
        to_repair_.pop_front();
        ++repairing_;
        auto* const event = find(key.channel, key.event);
        disk_.run( // a file that is too long stays so otherwise
            0,
            [file = event->folder.chunk(record), size = record.size] {
                std::error_code absent;
                if (std::filesystem::file_size(file, absent) > size && !absent) {
                    std::filesystem::resize_file(file, size, absent);
                }
                return true;
            },
            [this, key = key, record = record](bool) {
                if (!is_finished_) swarm_->fetch(key, record);
            }
        );
    }
}

/// A growing archive: what another process has appended.
void Seeder::refresh(std::size_t index) {
    auto* const event = seeded_[index].get();
    if (!event->is_verified || event->end) return;
    event->is_verified = false;
    disk_.run(
        0,
        [event] {
            (void)event->records->refresh(); // the next refresh tries again
            return std::make_shared<Verification>(
                event->folder, *event->records, event->newest.next()
            );
        },
        [this, index, event](std::shared_ptr<Verification> verification) {
            if (is_finished_) return;
            event->verification = std::move(verification);
            publish_feed(*event);
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
        if (event->last_dht_put && now - *event->last_dht_put < dht_interval) continue;
        event->last_dht_put = now;
        auto const stored = event->folder.load_dht_item();
        auto const item =
            stored ? decode_signed_dht_item(*stored) : Expected<SignedDhtItem>{Error{"none"}};
        if (!item) continue;
        swarm_->put_signed_dht_item(
            event->folder.channel(), item->value, item->sequence, item->signature
        );
    }
}

void Seeder::tick() {
    timer_.start_after(tick_interval, [this] {
        if (is_finished_) return;
        for (std::size_t index = 0; index < seeded_.size(); ++index)
            refresh(index);
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
