#pragma once

#include "archive/event_folder.hpp"
#include "archive/record_file.hpp"
#include "torrent/event_torrent.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// Makes an event's torrent from the chunks of its folder, a chunk at a time, since that reads all
/// of its bytes once while viewers may still want some. Blocking, on the disk strand.
class EventTorrentMaker {
public:
    /// An error unless every chunk from 1 to the newest of each rendition is there with its size.
    static Expected<EventTorrentMaker> start(EventFolder const& folder, RecordFile const& records);

    /// Takes in the next chunk; false when all are in. An error when its bytes are not what its
    /// record states.
    Expected<bool> step();

    /// After the last step.
    [[nodiscard]] Expected<InfoDict> finish() { return builder_.finish(); }

    [[nodiscard]] std::uint64_t bytes_done() const { return bytes_done_; }
    [[nodiscard]] std::uint64_t bytes_total() const { return bytes_total_; }

private:
    struct Source {
        std::filesystem::path path;
        std::uint64_t size = 0;
        Sha256 sha256;
    };

    EventTorrentMaker(EventTorrentBuilder builder, std::vector<Source> sources, std::uint64_t total)
        : builder_(std::move(builder))
        , sources_(std::move(sources))
        , bytes_total_(total) {}

    EventTorrentBuilder builder_;
    std::vector<Source> sources_;
    std::size_t position_ = 0;
    std::uint64_t bytes_done_ = 0;
    std::uint64_t bytes_total_ = 0;
};

/// Writes `event.torrent`, whole or not at all.
Completion write_event_torrent(
    EventFolder const& folder,
    InfoDict const& info,
    std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds
);

/// All of the above at once, for tools.
Expected<InfoDict> make_event_torrent(EventFolder const& folder, RecordFile const& records);

/// Info-hash of `event.torrent`; nothing when there is none, an error when it is no torrent.
Expected<std::optional<InfoHash>> read_event_torrent_hash(EventFolder const& folder);

/// The `info` value within a .torrent file's bytes (BEP 3).
std::optional<ByteView> torrent_info_dict(ByteView torrent);

/// SHA-1 of the `info` value of a .torrent file's bytes (BEP 3).
std::optional<InfoHash> torrent_info_hash(ByteView torrent);

} // namespace minuteswarm
