#pragma once

#include "torrent/info_dict.hpp"

#include <libtorrent/hasher.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace minuteswarm {

/// The torrent of a whole event: v1, the event's chunk files in order, under a folder
/// `<channel, 16 hex>-<event>` with `chunks/<name>` in it, so that the archive folder is its
/// content. Pieces span files, so their hashes need all bytes once; feed them in order. Holds
/// hashes, never bytes. The piece length is the smallest power of two from 16 KiB up to 16 MiB that
/// gives at most 2048 pieces.
class EventTorrentBuilder {
public:
    struct File {
        std::string name; ///< chunk_name()
        std::uint64_t size = 0;
    };

    EventTorrentBuilder(ChannelId const& channel, EventId event, std::vector<File> files);

    /// The next bytes of the concatenation of all files.
    void add(ByteView bytes);

    /// After exactly all bytes were added; an error when they were more or fewer than the files
    /// have, or when the event has no bytes or an empty file.
    [[nodiscard]] Expected<InfoDict> finish();

    [[nodiscard]] std::uint32_t piece_length() const { return piece_length_; }

private:
    void finish_piece();

    ChannelId channel_;
    EventId event_;
    std::vector<File> files_;
    std::uint32_t piece_length_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t added_ = 0;
    std::uint64_t in_piece_ = 0;
    lt::hasher piece_;
    std::vector<Sha1> pieces_;
};

/// Folder name of an event: `<channel, 16 hex>-<event>`.
std::string event_folder_name(ChannelId const& channel, EventId event);

} // namespace minuteswarm
