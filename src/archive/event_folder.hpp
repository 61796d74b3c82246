#pragma once

#include "archive/file.hpp"
#include "base/statements.hpp"

#include <filesystem>
#include <optional>

namespace minuteswarm {

/// Where the files of one event lie: `DIR/<channel, 16 hex>-<event>/` with
///   channel        the channel's 64 hex digits and a line feed
///   feed           frames of statements, in the order they were made
///   chunks/        chunk files under their info-dict names, and `.part` files
///   event.torrent  once the event is over
///   dht_item       the last DHT item with its signature
/// A value: paths and names, no open file. Its functions block.
class EventFolder {
public:
    /// Makes the folder in `archive`, or completes one whose making was interrupted.
    static Expected<EventFolder>
    create(std::filesystem::path const& archive, ChannelId const& channel, EventId event);
    /// Refuses what is not an event folder, one whose name disagrees with its `channel` file
    /// included.
    static Expected<EventFolder> open(std::filesystem::path const& folder);

    [[nodiscard]] ChannelId const& channel() const { return channel_; }
    [[nodiscard]] EventId event() const { return event_; }
    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

    [[nodiscard]] std::filesystem::path feed() const { return path_ / "feed"; }
    [[nodiscard]] std::filesystem::path chunks() const { return path_ / "chunks"; }
    [[nodiscard]] std::filesystem::path event_torrent() const { return path_ / "event.torrent"; }
    /// Where the chunk of `record` lies, if it is kept.
    [[nodiscard]] std::filesystem::path chunk(Record const& record) const;

    /// The last DHT item, bytes as the swarm gave them; at most 4 KiB.
    Completion save_dht_item(ByteView item) const;
    /// Nothing when there is none.
    [[nodiscard]] std::optional<Bytes> load_dht_item() const;

private:
    EventFolder(std::filesystem::path path, ChannelId const& channel, EventId event)
        : path_(std::move(path))
        , channel_(channel)
        , event_(event) {}

    std::filesystem::path path_;
    ChannelId channel_;
    EventId event_;
};

/// Channel and event of a folder name `<16 hex>-<event>`.
struct EventFolderName {
    std::string short_channel;
    EventId event;
};
std::optional<EventFolderName> parse_event_folder_name(std::string_view name);

/// The event of the highest number that `archive` holds of a channel. An error when it can't be
/// read; one that is not there holds none.
Expected<std::optional<EventId>>
newest_event(std::filesystem::path const& archive, ChannelId const& channel);

/// The newest event of a channel in `archive`, if it has no end: what a killed publisher goes on
/// with. An older event is never gone on with, since viewers follow the newest. An error when that
/// can't be found out.
Expected<std::optional<EventFolder>>
find_unfinished_event(std::filesystem::path const& archive, ChannelId const& channel);

} // namespace minuteswarm
