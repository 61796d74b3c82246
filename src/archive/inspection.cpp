#include "archive/inspection.hpp"

#include "archive/event_folder.hpp"
#include "archive/event_torrent_file.hpp"
#include "archive/record_file.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace minuteswarm {

namespace {

Inspection::Rendition inspect_rendition(RecordFile const& records, RenditionId id) {
    Inspection::Rendition rendition;
    rendition.id = id;
    auto next = ChunkNumber{1};
    for (auto const number : records.numbers(id)) {
        if (number != next) rendition.gaps.emplace_back(next, ChunkNumber{number.value - 1});
        next = number.next();
        auto const record = records.read(id, number);
        if (!record) continue;
        if (rendition.records++ == 0) rendition.first = number;
        rendition.last = number;
        rendition.bytes += record->value.size;
        auto const end = record->value.media_time + record->value.duration;
        rendition.duration = std::max(rendition.duration, end);
    }
    return rendition;
}

/// Numbers that the end record promises and the feed does not have.
void add_gap_before_end(Inspection::Rendition& rendition, EndRecord const& end) {
    if (rendition.last < end.last) rendition.gaps.emplace_back(rendition.last.next(), end.last);
}

std::optional<Inspection::EventTorrent>
inspect_event_torrent(EventFolder const& folder, RecordFile const& records, bool are_chunks_good) {
    auto const hash = read_event_torrent_hash(folder);
    if (hash && !*hash) return std::nullopt;
    Inspection::EventTorrent torrent;
    if (!hash) {
        torrent.problem = hash.error().message;
        return torrent;
    }
    torrent.hash = *hash;
    if (records.end() != nullptr && records.end()->value.event_torrent) {
        torrent.matches_end = *records.end()->value.event_torrent == **hash;
    }
    if (!are_chunks_good) return torrent;
    if (auto const made = make_event_torrent(folder, records)) {
        torrent.matches_chunks = made->hash == **hash;
    }
    return torrent;
}

} // namespace

bool Inspection::is_whole() const {
    auto const has_gaps = [](Rendition const& rendition) { return !rendition.gaps.empty(); };
    auto const is_chunk = [prefix = concat(short_hex(channel), '-', event.value, '-')](
                              std::string const& name
                          ) { return name.starts_with(prefix); };
    return !problem && descriptor && feed.damaged == 0 && feed.refused == 0 &&
           chunks.damaged.empty() && chunks.missing.empty() &&
           std::ranges::none_of(chunks.foreign, is_chunk) && // one that has lost its record
           std::ranges::none_of(renditions, has_gaps) &&
           !(event_torrent && (event_torrent->problem || event_torrent->matches_end == false ||
                               event_torrent->matches_chunks == false));
}

Inspection inspect_archive(std::filesystem::path const& path) {
    Inspection inspection;
    inspection.path = path;
    auto const folder = EventFolder::open(path);
    if (!folder) {
        inspection.problem = folder.error().message;
        return inspection;
    }
    inspection.channel = folder->channel();
    inspection.event = folder->event();
    auto const records = RecordFile::open(*folder, RecordFile::Access::read);
    if (!records) {
        inspection.problem = records.error().message;
        return inspection;
    }
    auto const& findings = records->findings();
    inspection.feed = {0, findings.torn, findings.damaged, findings.refused};
    if (records->descriptor() != nullptr) inspection.descriptor = records->descriptor()->value;
    if (records->end() != nullptr) inspection.end = records->end()->value;
    auto ids = records->renditions();
    if (ids.empty() && inspection.end && inspection.end->last.value > 0) ids.emplace_back();
    for (auto const id : ids) {
        auto rendition = inspect_rendition(*records, id);
        if (inspection.end) add_gap_before_end(rendition, *inspection.end);
        inspection.feed.records += rendition.records;
        inspection.renditions.push_back(std::move(rendition));
    }
    Verification verification(*folder, *records);
    while (verification.step()) {
    }
    inspection.chunks = verification.report();
    bool const are_chunks_good = inspection.chunks.damaged.empty() &&
                                 inspection.chunks.missing.empty() &&
                                 inspection.chunks.expired.empty();
    inspection.event_torrent = inspect_event_torrent(*folder, *records, are_chunks_good);
    return inspection;
}

} // namespace minuteswarm
