#include "archive/event_folder.hpp"

#include "archive/record_file.hpp"
#include "base/text.hpp"
#include "torrent/event_torrent.hpp"
#include "torrent/info_dict.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace minuteswarm {

namespace {

constexpr std::size_t short_channel_digits = 16;
constexpr std::size_t channel_file_size = 128; ///< 64 digits and white space
constexpr std::size_t dht_item_size = 4096; ///< BEP 44 allows 1000 bytes, plus key, salt, signature

std::filesystem::path without_slash(std::filesystem::path const& folder) {
    return folder.has_filename() ? folder : folder.parent_path();
}

Expected<ChannelId> read_channel(std::filesystem::path const& folder) {
    auto const bytes = read_file(folder / "channel", channel_file_size);
    if (!bytes) return bytes.error();
    auto text = as_text(*bytes);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    auto const channel = ChannelId::parse_hex(text);
    if (!channel) return Error{concat((folder / "channel").string(), " holds no channel's name")};
    return *channel;
}

/// What a folder that is not named as an event's is instead, and which one to give.
std::string what_else(std::filesystem::path const& given) {
    std::size_t files = 0;
    std::size_t events = 0;
    EventId newest;
    std::string newest_name;
    std::error_code error;
    std::filesystem::directory_iterator entries(given, error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
        ++files;
        auto const entry = entries->path().filename().string();
        auto const name = parse_event_folder_name(entry);
        if (!name) continue;
        if (events++ == 0 || newest < name->event) {
            newest = name->event;
            newest_name = entry;
        }
    }
    auto const one = (given / newest_name).string();
    if (events == 1) return concat(" holds one event: give its folder, ", one);
    if (events > 1)
        return concat(" holds ", events, " events: give the folder of one, such as ", one);
    return concat(
        files == 0 && !error ? " is empty" : " is not an event's folder",
        ": give one that publish made, named <channel>-<event>"
    );
}

} // namespace

Expected<EventFolder>
EventFolder::create(std::filesystem::path const& archive, ChannelId const& channel, EventId event) {
    auto const path = archive / event_folder_name(channel, event);
    if (auto made = make_folders(path / "chunks"); !made) return made.error();
    std::error_code error;
    if (std::filesystem::exists(path / "channel", error)) {
        auto opened = open(path);
        if (opened && opened->channel() != channel) {
            return Error{concat(path.string(), " belongs to another channel")};
        }
        return opened;
    }
    auto const written = write_file(path / "channel", as_bytes(channel.hex() + "\n"));
    if (!written) return written.error();
    return EventFolder(path, channel, event);
}

Expected<EventFolder> EventFolder::open(std::filesystem::path const& folder) {
    std::error_code error;
    // A resolved path has a name even for "." and for links to the folder.
    auto const path = std::filesystem::canonical(without_slash(folder), error);
    if (error) return file_error("open", folder, error.value());
    if (!std::filesystem::is_directory(path, error)) {
        return Error{concat(folder.string(), " is a file: give an event's folder")};
    }
    auto const name = parse_event_folder_name(path.filename().string());
    if (!name) return Error{concat(folder.string(), what_else(folder))};
    auto const channel = read_channel(path);
    if (!channel) {
        return Error{
            concat(folder.string(), " is not an event's archive: ", channel.error().message)};
    }
    if (short_hex(*channel) != name->short_channel) {
        return Error{concat(
            folder.string(), " is not named after the channel in its channel file: ", channel->hex()
        )};
    }
    return EventFolder(path, *channel, name->event);
}

std::filesystem::path EventFolder::chunk(Record const& record) const {
    return chunks() / chunk_name(channel_, record);
}

Completion EventFolder::save_dht_item(ByteView item) const {
    if (item.size() > dht_item_size) return Error{"the DHT item is larger than any can be"};
    return write_file(path_ / "dht_item", item);
}

std::optional<Bytes> EventFolder::load_dht_item() const {
    auto bytes = read_file(path_ / "dht_item", dht_item_size);
    if (!bytes || bytes->empty()) return std::nullopt;
    return std::move(*bytes);
}

std::optional<EventFolderName> parse_event_folder_name(std::string_view name) {
    if (name.size() < short_channel_digits + 2 || name[short_channel_digits] != '-') {
        return std::nullopt;
    }
    auto const digits = name.substr(short_channel_digits + 1);
    auto const is_lower_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    };
    auto const channel = name.substr(0, short_channel_digits);
    if (!std::all_of(channel.begin(), channel.end(), is_lower_hex)) return std::nullopt;
    if (digits.front() == '0') return std::nullopt; // no event has the number 0
    std::uint64_t event = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), event);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return EventFolderName{std::string(channel), EventId{event}};
}

Expected<std::optional<EventId>>
newest_event(std::filesystem::path const& archive, ChannelId const& channel) {
    std::optional<EventId> newest;
    std::error_code error;
    auto const status = std::filesystem::status(archive, error);
    if (status.type() == std::filesystem::file_type::not_found) return newest;
    if (error) return file_error("read", archive, error.value());
    if (!std::filesystem::is_directory(status))
        return Error{concat(archive.string(), " is a file, not a folder")};
    std::filesystem::directory_iterator entries(archive, error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
        auto const name = parse_event_folder_name(entries->path().filename().string());
        if (!name || name->short_channel != short_hex(channel)) continue;
        newest = std::max(newest.value_or(EventId{}), name->event);
    }
    if (error) return file_error("read", archive, error.value());
    return newest;
}

Expected<std::optional<EventFolder>>
find_unfinished_event(std::filesystem::path const& archive, ChannelId const& channel) {
    std::optional<EventFolder> const none;
    auto const event = newest_event(archive, channel);
    if (!event) return event.error();
    if (!*event) return none;
    auto const path = archive / event_folder_name(channel, **event);
    std::error_code error;
    // Killed while it was made: nothing was ever recorded in it.
    if (!std::filesystem::exists(path / "channel", error) && !error) return none;
    auto folder = EventFolder::open(path);
    if (!folder) return folder.error();
    if (folder->channel() != channel) return none;
    if (!std::filesystem::exists(folder->feed(), error) && !error) return std::optional(*folder);
    auto const records = RecordFile::open(*folder, RecordFile::Access::read);
    if (!records) return records.error();
    if (records->end() != nullptr) return none;
    return std::optional(*std::move(folder));
}

} // namespace minuteswarm
