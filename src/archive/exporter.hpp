#pragma once

#include "archive/event_folder.hpp"
#include "archive/file.hpp"
#include "archive/record_file.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace minuteswarm {

struct ExportOptions {
    std::filesystem::path output; ///< its ending says the format
    RenditionId rendition;
    std::optional<MediaTime> from; ///< starts at the last random access point not after it
    std::optional<MediaTime> to;
    bool force = false; ///< replaces files that exist

    struct Progress {
        std::uint64_t bytes = 0; ///< read so far
        std::uint64_t total = 0;
    };
    /// Called for every chunk or so; false ends the export with an error.
    std::function<bool(Progress const&)> on_progress;
};

struct ExportReport {
    struct File {
        std::filesystem::path path;
        MediaTime duration{};
    };
    std::vector<File> files;
    std::vector<ChunkNumber> skipped; ///< chunks left out because they are damaged or missing
};

/// Writes an archived event as one file that any player opens, without encoding anew: `output`,
/// then
/// `<name>-2.<ending>`… wherever the streams' parameters change. Epochs of equal parameters follow
/// one another without a gap; a chunk that is left out stays as a hole in the timestamps. Blocking;
/// for tools.
Expected<ExportReport>
export_event(EventFolder const& folder, RecordFile const& records, ExportOptions const& options);

} // namespace minuteswarm
