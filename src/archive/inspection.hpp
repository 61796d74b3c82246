#pragma once

#include "archive/verify.hpp"
#include "base/statements.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace minuteswarm {

/// What a folder is, by whom, and what is in it or missing: the truth about any folder, garbage
/// included.
struct Inspection {
    /// Why this is no event's archive, or can't be read; nothing else is set then.
    std::optional<std::string> problem;
    std::filesystem::path path;
    ChannelId channel;
    EventId event;
    std::optional<Descriptor> descriptor;
    std::optional<EndRecord> end;

    struct Feed {
        std::size_t records = 0;
        std::uint64_t torn = 0;    ///< bytes of an unfinished write at the end
        std::uint64_t damaged = 0; ///< bytes in no genuine statement
        std::size_t refused = 0;   ///< signed, but of another event or against an earlier record
    } feed;

    struct Rendition {
        RenditionId id;
        std::size_t records = 0;
        ChunkNumber first;
        ChunkNumber last;
        std::vector<std::pair<ChunkNumber, ChunkNumber>>
            gaps;             ///< numbers without a record, first and last
        MediaTime duration{}; ///< end of the last chunk
        std::uint64_t bytes = 0;
    };
    std::vector<Rendition> renditions;
    Verification::Report chunks;

    struct EventTorrent {
        std::optional<InfoHash> hash;       ///< of the file
        std::optional<std::string> problem; ///< the file is no torrent
        std::optional<bool> matches_end;    ///< the end record names one, and this is it
        std::optional<bool> matches_chunks; ///< when all chunks are there and good
    };
    std::optional<EventTorrent> event_torrent; ///< nothing: there is no such file

    /// Everything that its records state is there, unaltered, but for what has expired.
    [[nodiscard]] bool is_whole() const;
};

/// Reads every byte of the folder's chunks. Blocking; for tools.
Inspection inspect_archive(std::filesystem::path const& folder);

/// Lines for a terminal.
std::string to_text(Inspection const& inspection);

} // namespace minuteswarm
