#include "archive/part_file.hpp"

#include "archive/chunk_check.hpp"
#include "archive/media_meter.hpp"
#include "archive/part_info.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace minuteswarm {

namespace {

constexpr MediaTime shortest_media = std::chrono::milliseconds{1};
constexpr std::uintmax_t smallest_unit = 8; ///< no frame or packet of any container is shorter

constexpr std::size_t info_size = 1024; ///< ours are 300 bytes

std::filesystem::path part_path(EventFolder const& folder, Record const& record) {
    return folder.chunk(record).concat(".part");
}

std::filesystem::path info_path(EventFolder const& folder, Record const& record) {
    return folder.chunk(record).concat(".part.info");
}

bool is_there(std::filesystem::path const& path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

Completion remove_file(std::filesystem::path const& path) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) return file_error("remove", path, error.value());
    return std::monostate{};
}

/// What lies in `chunks/` of one rendition.
struct Leftovers {
    std::vector<PartInfo> infos;
    ChunkNumber highest;                   ///< of any file
    std::optional<std::string> unreadable; ///< an info's name
};

/// The number in `<prefix><number>.<anything>`.
std::optional<ChunkNumber> number_in(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end == name.data() + name.size() || *end != '.')
        return std::nullopt;
    return ChunkNumber{number};
}

/// Nothing when it is no info.
Expected<std::optional<PartInfo>> read_info(std::filesystem::path const& path) {
    std::optional<PartInfo> info;
    std::error_code error;
    auto const size = std::filesystem::file_size(path, error);
    if (error) return file_error("read", path, error.value());
    if (size > info_size) return info;
    auto const bytes = read_file(path, info_size);
    if (!bytes) return bytes.error();
    if (auto parsed = parse_part_info(as_text(*bytes))) info = *std::move(parsed);
    return info;
}

Expected<Leftovers> find_leftovers(EventFolder const& folder, RenditionId rendition) {
    auto const prefix =
        concat(short_hex(folder.channel()), '-', folder.event().value, '-', rendition.value, '-');
    Leftovers found;
    std::error_code error;
    std::filesystem::directory_iterator entries(folder.chunks(), error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
        auto const name = entries->path().filename().string();
        auto const number = number_in(name, prefix);
        if (!number) continue;
        if (name.ends_with(".new")) {
            // What an interrupted write_file leaves has no meaning.
            static_cast<void>(remove_file(entries->path()));
            continue;
        }
        found.highest = std::max(found.highest, *number);
        if (!name.ends_with(".part.info")) continue;
        auto info = read_info(entries->path());
        if (!info) return info.error();
        if (!*info || (*info)->opening.event != folder.event() ||
            (*info)->opening.rendition != rendition || (*info)->opening.number != *number) {
            found.unreadable = name;
            continue;
        }
        found.infos.push_back(std::move(**info));
    }
    if (error) return file_error("read", folder.chunks(), error.value());
    return found;
}

/// Takes a file from the chunk that was in progress: cut at its last whole packet, measured and
/// hashed. Nothing when there is no media in it.
Expected<std::optional<Record>> complete_record(std::filesystem::path const& path, Record record) {
    auto file = File::open(path, File::Access::write);
    if (!file) return file.error();
    MediaMeter meter(record.container);
    Bytes buffer(limits::MiB);
    for (std::uint64_t offset = 0;;) {
        auto const got = file->read_at(offset, buffer);
        if (!got) return got.error();
        if (*got == 0) break;
        meter.add(ByteView(buffer).first(*got));
        offset += *got;
    }
    auto usable = meter.result();
    // Killed within its first picture: too little to measure, but written as it was muxed.
    if (!usable && meter.whole_size() > 0) usable = UsableMedia{meter.whole_size(), shortest_media};
    if (!usable || usable->size > limits::chunk_size) return std::optional<Record>{};
    if (auto cut = file->truncate(usable->size); !cut) return cut.error();
    if (auto synced = file->sync(); !synced) return synced.error();
    auto hashes = hash_chunk_file(*file, usable->size);
    if (!hashes) return hashes.error();
    record.size = usable->size;
    record.duration = usable->duration;
    record.pieces = std::move(hashes->pieces);
    record.sha256 = hashes->sha256;
    return std::optional(std::move(record));
}

/// The chunk after the newest record: published if it can be. Forgotten when no byte of it was seen
/// by anyone.
Completion resume_part(EventFolder const& folder, PartInfo const& info, Resumption& resumption) {
    if (info.boot != current_boot()) {
        resumption.refusal = "the machine was restarted while a chunk was being recorded";
        return std::monostate{};
    }
    auto const part = part_path(folder, info.opening);
    auto const chunk = folder.chunk(info.opening);
    auto const path = is_there(part) ? part : chunk;
    std::error_code error;
    auto const size = is_there(path) ? std::filesystem::file_size(path, error) : 0;
    if (error) return file_error("read", path, error.value());
    if (size < smallest_unit) {
        // Bytes are written before they are pushed, in whole packets or frames: nobody has any.
        for (auto const& leftover : {path, info_path(folder, info.opening)}) {
            if (auto removed = remove_file(leftover); !removed) return removed.error();
        }
        return std::monostate{};
    }
    auto record = complete_record(path, info.opening);
    if (!record) return record.error();
    if (!*record) resumption.refusal = "its last chunk is not usable";
    resumption.part = *std::move(record);
    return std::monostate{};
}

/// The record is on the disk already: only the file's name may be missing.
Completion finish_closing(
    EventFolder const& folder,
    RecordFile const& records,
    PartInfo const& info,
    Resumption& resumption
) {
    auto const record = records.read(info.opening.rendition, info.opening.number);
    if (!record) return record.error();
    auto const part = part_path(folder, record->value);
    if (is_there(part)) {
        if (auto const file = File::open(part, File::Access::read); !file) return file.error();
        if (check_chunk(part, record->value).state != ChunkCheck::State::complete) {
            resumption.refusal = "a chunk's file is not what its record states";
            return std::monostate{};
        }
    }
    return close_part(folder, record->value);
}

} // namespace

Expected<PartFile> PartFile::create(EventFolder const& folder, Record const& opening) {
    auto const part = part_path(folder, opening);
    if (is_there(part) || is_there(folder.chunk(opening))) {
        return Error{concat(part.string(), " was recorded before: its number can't be used again")};
    }
    auto const info = format_part_info({opening, current_boot()});
    if (auto written = write_file(info_path(folder, opening), as_bytes(info)); !written) {
        return written.error();
    }
    auto file = File::create(part);
    if (!file) return file.error();
    return PartFile(folder, opening, std::move(*file));
}

Completion PartFile::append(ByteView bytes) {
    if (auto written = file_.write_at(size_, bytes); !written) return written;
    size_ += bytes.size();
    return std::monostate{};
}

Completion PartFile::sync() {
    if (auto cut = file_.truncate(size_); !cut) return cut; // what a failed append left
    return file_.sync();
}

Completion PartFile::close() {
    return close_part(folder_, opening_);
}

Completion close_part(EventFolder const& folder, Record const& record) {
    auto const part = part_path(folder, record);
    if (is_there(part)) {
        if (auto moved = move_file(part, folder.chunk(record)); !moved) return moved;
    } else if (auto synced = sync_folder(folder.chunks()); !synced) { // renamed by a failed attempt
        return synced;
    }
    return remove_file(info_path(folder, record));
}

Expected<Resumption>
resume_event(EventFolder const& folder, RecordFile const& records, RenditionId rendition) {
    auto const newest = records.newest(rendition).value_or(ChunkNumber{});
    Resumption resumption{std::nullopt, newest.next(), {}, {}};
    auto const refused = [&resumption](std::string const& why) {
        resumption.refusal = why;
        return resumption;
    };
    if (records.end() != nullptr) return refused("it has ended");
    if (records.findings().damaged > 0 || records.findings().refused > 0) {
        return refused("its feed is damaged");
    }
    if (records.count(rendition) != newest.value) return refused("its feed has gaps");
    auto const leftovers = find_leftovers(folder, rendition);
    if (!leftovers) return leftovers.error();
    if (leftovers->unreadable) return refused(*leftovers->unreadable + " is not readable");
    if (newest.value > 0) {
        auto const last = records.read(rendition, newest);
        if (!last) return last.error();
        resumption.media_end = last->value.media_time + last->value.duration;
    }
    auto known = newest;
    for (auto const& info : leftovers->infos) {
        if (info.opening.number <= newest) {
            auto const closed = finish_closing(folder, records, info, resumption);
            if (!closed) return closed.error();
            continue;
        }
        if (info.opening.number != newest.next()) return refused("its feed lacks records");
        known = info.opening.number;
        auto const done = resume_part(folder, info, resumption);
        if (!done) return done.error();
    }
    if (leftovers->highest > known) return refused("its feed lacks records");
    if (resumption.part) {
        resumption.next = resumption.part->number.next();
        resumption.media_end = resumption.part->media_time + resumption.part->duration;
    }
    return resumption;
}

} // namespace minuteswarm
