#include "archive/event_torrent_file.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "torrent/info_dict.hpp"
#include "torrent/sha256_stream.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace minuteswarm {

namespace {

constexpr std::size_t torrent_file_size = 256 * limits::MiB; ///< a million chunks' names and hashes
constexpr int deepest_bencode = 8; ///< a torrent's lists and dictionaries nest 4 deep

/// `<digits>:` at the front of bencode; how many bytes the string with it takes.
std::optional<std::size_t> string_size(std::string_view text) {
    std::size_t length = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ':')
        return std::nullopt;
    auto const head = static_cast<std::size_t>(end - text.data()) + 1;
    if (length > text.size() - head) return std::nullopt;
    return head + length;
}

/// How many bytes the bencoded value at the front takes.
std::optional<std::size_t> value_size(std::string_view text, int depth) {
    if (text.empty() || depth > deepest_bencode) return std::nullopt;
    if (text.front() >= '0' && text.front() <= '9') return string_size(text);
    if (text.front() == 'i') {
        auto const end = text.find('e');
        return end == std::string_view::npos ? std::nullopt : std::optional(end + 1);
    }
    if (text.front() != 'l' && text.front() != 'd') return std::nullopt;
    std::size_t size = 1;
    while (size < text.size() && text[size] != 'e') {
        auto const item = value_size(text.substr(size), depth + 1);
        if (!item) return std::nullopt;
        size += *item;
    }
    return size < text.size() ? std::optional(size + 1) : std::nullopt;
}

} // namespace

Expected<EventTorrentMaker>
EventTorrentMaker::start(EventFolder const& folder, RecordFile const& records) {
    std::vector<EventTorrentBuilder::File> files;
    std::vector<Source> sources;
    std::uint64_t total = 0;
    for (auto const rendition : records.renditions()) {
        if (records.count(rendition) != records.newest(rendition)->value) {
            return Error{"no event torrent: the feed has gaps"};
        }
        for (auto const number : records.numbers(rendition)) {
            auto const record = records.read(rendition, number);
            if (!record) return record.error();
            auto const path = folder.chunk(record->value);
            std::error_code error;
            if (std::filesystem::file_size(path, error) != record->value.size || error) {
                return Error{
                    concat("no event torrent: chunk ", number.value, " is not there whole")};
            }
            files.push_back({path.filename().string(), record->value.size});
            sources.push_back({path, record->value.size, record->value.sha256});
            total += record->value.size;
        }
    }
    if (files.empty()) return Error{"no event torrent: the event has no chunk"};
    EventTorrentBuilder builder(folder.channel(), folder.event(), std::move(files));
    return EventTorrentMaker(std::move(builder), std::move(sources), total);
}

Expected<bool> EventTorrentMaker::step() {
    if (position_ == sources_.size()) return false;
    auto const& source = sources_[position_++];
    auto const file = File::open(source.path, File::Access::read);
    if (!file) return file.error();
    Sha256Stream hash;
    Bytes buffer(limits::MiB);
    for (std::uint64_t offset = 0; offset < source.size;) {
        auto const wanted = std::min<std::uint64_t>(buffer.size(), source.size - offset);
        auto const part = std::span(buffer).first(static_cast<std::size_t>(wanted));
        auto const got = file->read_at(offset, part);
        if (!got) return got.error();
        if (*got == 0) break;
        builder_.add(part.first(*got));
        hash.add(part.first(*got));
        offset += *got;
        bytes_done_ += *got;
    }
    if (hash.finish() != source.sha256) {
        return Error{concat("no event torrent: ", source.path.filename().string(), " is damaged")};
    }
    return position_ < sources_.size();
}

Completion write_event_torrent(
    EventFolder const& folder,
    InfoDict const& info,
    std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds
) {
    return write_file(folder.event_torrent(), make_torrent_file(info, trackers, web_seeds));
}

Expected<InfoDict> make_event_torrent(EventFolder const& folder, RecordFile const& records) {
    auto maker = EventTorrentMaker::start(folder, records);
    if (!maker) return maker.error();
    for (bool is_more = true; is_more;) {
        auto const stepped = maker->step();
        if (!stepped) return stepped.error();
        is_more = *stepped;
    }
    return maker->finish();
}

Expected<std::optional<InfoHash>> read_event_torrent_hash(EventFolder const& folder) {
    std::error_code error;
    auto const size = std::filesystem::file_size(folder.event_torrent(), error);
    if (error) return std::optional<InfoHash>{};
    auto const bytes = read_file(
        folder.event_torrent(),
        static_cast<std::size_t>(std::min<std::uint64_t>(size, torrent_file_size))
    );
    if (!bytes) return bytes.error();
    auto const hash = torrent_info_hash(*bytes);
    if (!hash) return Error{"event.torrent is not a torrent file"};
    return hash;
}

std::optional<InfoHash> torrent_info_hash(ByteView torrent) {
    auto const info = torrent_info_dict(torrent);
    if (!info) return std::nullopt;
    return InfoHash{sha1(*info).bytes};
}

std::optional<ByteView> torrent_info_dict(ByteView torrent) {
    auto const text = as_text(torrent);
    if (value_size(text, 0) != text.size() || text.front() != 'd') return std::nullopt;
    for (std::size_t at = 1; text[at] != 'e';) {
        auto const key = string_size(text.substr(at));
        if (!key) return std::nullopt;
        auto const is_info = text.substr(at, *key) == "4:info";
        at += *key;
        auto const value = value_size(text.substr(at), 1);
        if (!value) return std::nullopt;
        if (is_info) return torrent.subspan(at, *value);
        at += *value;
    }
    return std::nullopt;
}

} // namespace minuteswarm
