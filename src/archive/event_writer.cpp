#include "archive/event_writer.hpp"

#include "archive/chunk_check.hpp"
#include "base/limits.hpp"
#include "feed/statement_codec.hpp"
#include "torrent/info_dict.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr RenditionId only_rendition{0};

} // namespace

Expected<EventWriter> EventWriter::open(
    std::filesystem::path const& archive,
    ChannelKey const& key,
    EventId last,
    std::function<EventId(EventId)> const& new_event
) {
    auto const channel = key.channel();
    auto unfinished = find_unfinished_event(archive, channel);
    if (unfinished && unfinished->event() >= last) {
        auto records = RecordFile::open(*unfinished, RecordFile::Access::write);
        if (records) {
            EventWriter writer{*unfinished, *std::move(records), key};
            if (writer.resume()) return writer;
        }
        // What is there cannot be gone on with (a power cut, lost files): it stays as it is.
    }
    auto folder = EventFolder::create(
        archive, channel, new_event(newest_event(archive, channel).value_or(EventId{}))
    );
    if (!folder) return folder.error();
    auto records = RecordFile::open(*folder, RecordFile::Access::write);
    if (!records) return records.error();
    return EventWriter{*std::move(folder), *std::move(records), key};
}

Completion EventWriter::resume() {
    auto const resumption = resume_event(folder_, records_, only_rendition);
    if (!resumption) return resumption.error();
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
        resumed_.recovered = resumption->part;
        resumed_.next_epoch = resumption->part->epoch.next();
        resumed_.container = resumption->part->container;
    }
    is_resumed_ = true;
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
    auto const part = std::filesystem::path{path} += ".part";
    if (auto const synced = part_->sync(); !synced) return synced.error();
    auto const hashed = hash_part(part);
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
Expected<EventWriter::HashedPart> EventWriter::hash_part(std::filesystem::path const& path) const {
    if (part_->size() <= limits::remembered_chunk) {
        auto bytes = read_file(path, limits::remembered_chunk);
        if (!bytes) return bytes.error();
        auto hashes = hash_chunk(*bytes);
        return HashedPart{std::move(hashes), std::make_shared<Bytes const>(*std::move(bytes))};
    }
    auto const file = File::open(path, File::Access::read);
    if (!file) return file.error();
    auto hashes = hash_chunk_file(*file, part_->size());
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
