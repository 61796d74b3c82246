#include "archive/event_writer.hpp"

#include "archive/chunk_check.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "feed/statement_codec.hpp"
#include "torrent/info_dict.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr RenditionId only_rendition{0};

Error cannot_go_on(Error const& why) {
    return Error{concat(
        why.message, "; set that right to go on with the event, or begin another with --new-event"
    )};
}

} // namespace

Expected<EventWriter> EventWriter::open(std::filesystem::path const& archive, KeyFile& key) {
    if (auto const newest = newest_event(archive, key.key().channel()); !newest)
        return newest.error();
    auto const unfinished = find_unfinished_event(archive, key.key().channel());
    if (!unfinished) return cannot_go_on(unfinished.error());
    if (!*unfinished || (*unfinished)->event() < key.last_event()) return begin(archive, key);
    auto records = RecordFile::open(**unfinished, RecordFile::Access::write);
    if (!records) return cannot_go_on(records.error());
    EventWriter writer{**unfinished, *std::move(records), key.key()};
    if (auto const resumed = writer.resume(); !resumed) return cannot_go_on(resumed.error());
    if (writer.refusal_) {
        auto fresh = begin(archive, key);
        if (fresh) fresh->refusal_ = writer.refusal_;
        return fresh;
    }
    // Killed before the key was told of it, or an older copy of the key.
    if (writer.folder_.event() > key.last_event()) key.store_event(writer.folder_.event());
    return writer;
}

Expected<EventWriter> EventWriter::begin(std::filesystem::path const& archive, KeyFile& key) {
    auto const newest = newest_event(archive, key.key().channel());
    if (!newest) return newest.error();
    auto const event = key.next_event(wall_now(), newest->value_or(EventId{}));
    auto folder = EventFolder::create(archive, key.key().channel(), event);
    if (!folder) return folder.error();
    auto records = RecordFile::open(*folder, RecordFile::Access::write);
    if (!records) return records.error();
    key.store_event(event); // last: a number is used up by an event that is there
    return EventWriter{*std::move(folder), *std::move(records), key.key()};
}

/// Sets `refusal_` when the event can never be gone on with.
Completion EventWriter::resume() {
    auto const resumption = resume_event(folder_, records_, only_rendition);
    if (!resumption) return resumption.error();
    if (resumption->refusal) {
        refusal_ = concat(folder_.path().string(), ": ", *resumption->refusal);
        return std::monostate{};
    }
    resumed_.next = resumption->next;
    resumed_.media_end = resumption->media_end;
    if (auto const newest = records_.newest(only_rendition)) {
        auto const last = records_.read(only_rendition, *newest);
        if (!last) return last.error();
        resumed_.next_epoch = last->value.epoch.next();
        resumed_.container = last->value.container;
    }
    if (auto const* descriptor = records_.descriptor()) {
        resumed_.next_revision = descriptor->value.revision + 1;
        resumed_.container = descriptor->value.container;
    }
    if (resumption->part) {
        auto const signed_part = sign_part(*resumption->part);
        if (!signed_part) return signed_part.error();
        resumed_.next_epoch = resumption->part->epoch.next();
        resumed_.container = resumption->part->container;
    }
    // Killed before anything was in it, it is as good as new.
    is_resumed_ = records_.descriptor() != nullptr || resumed_.next > ChunkNumber{1};
    return Completion{std::monostate{}};
}

Completion EventWriter::sign_part(Record const& record) {
    auto const appended = records_.append(sign_statement(record, key_));
    if (!appended) return appended.error();
    return close_part(folder_, record);
}

Completion EventWriter::open_chunk(Record const& opening) {
    auto part = PartFile::create(folder_, opening);
    if (!part) return part.error();
    part_ = *std::move(part);
    return Completion{std::monostate{}};
}

Completion EventWriter::append(ByteView bytes) {
    return part_->append(bytes);
}

Expected<EventWriter::Closed> EventWriter::close_chunk(MediaTime duration) {
    auto record = part_->opening();
    auto const path = folder_.chunk(record);
    if (auto const synced = part_->sync(); !synced) return synced.error();
    auto const hashed = hash_part();
    if (!hashed) return hashed.error();
    record.duration = duration;
    record.size = part_->size();
    record.pieces = hashed->hashes.pieces;
    record.sha256 = hashed->hashes.sha256;

    auto statement = sign_statement(record, key_);
    if (auto const appended = records_.append(statement); !appended) return appended.error();
    if (auto const closed = part_->close(); !closed) return closed.error();
    part_.reset();
    return Closed{std::move(record), std::move(statement), path, hashed->bytes};
}

/// What the record states of the part file's bytes, and the bytes unless they are too many to keep.
/// By the open file: an attempt to close it that failed may have given it its chunk's name.
Expected<EventWriter::HashedPart> EventWriter::hash_part() const {
    auto const& file = part_->file();
    if (part_->size() <= limits::remembered_chunk) {
        Bytes bytes(static_cast<std::size_t>(part_->size()));
        auto const got = file.read_at(0, bytes);
        if (!got) return got.error();
        if (*got != bytes.size()) return Error{concat(file.path().string(), " is too short")};
        auto hashes = hash_chunk(bytes);
        return HashedPart{std::move(hashes), std::make_shared<Bytes const>(std::move(bytes))};
    }
    auto hashes = hash_chunk_file(file, part_->size());
    if (!hashes) return hashes.error();
    return HashedPart{*std::move(hashes), nullptr};
}

Expected<Statement> EventWriter::describe(Descriptor const& descriptor) {
    auto statement = sign_statement(descriptor, key_);
    if (auto const appended = records_.append(statement); !appended) return appended.error();
    return statement;
}

bool EventWriter::prepare_end() {
    if (!has_torrent_) return false;
    if (!torrent_) {
        auto started = EventTorrentMaker::start(folder_, records_);
        if (!started) return has_torrent_ = false; // retention has taken chunks, or there is none
        torrent_ = *std::move(started);
    }
    auto const more = torrent_->step();
    if (!more) {
        has_torrent_ = false;
        return false;
    }
    return *more;
}

Expected<EventWriter::Ended> EventWriter::end(
    std::vector<std::string> const& trackers, std::vector<std::string> const& web_seeds
) {
    Ended result;
    if (has_torrent_ && torrent_) {
        auto info = torrent_->finish();
        if (info) {
            if (auto const written = write_event_torrent(folder_, *info, trackers, web_seeds);
                !written) {
                return written.error();
            }
            result.torrent = info->hash;
            result.info_dict = std::move(info->bytes);
            result.chunks = records_.numbers(only_rendition);
        }
    }
    auto const last = records_.newest(only_rendition).value_or(ChunkNumber{0});
    result.statement = sign_statement(EndRecord{folder_.event(), last, result.torrent}, key_);
    if (auto const appended = records_.append(result.statement); !appended) return appended.error();
    return result;
}

} // namespace minuteswarm
