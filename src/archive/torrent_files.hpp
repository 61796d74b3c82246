#pragma once

#include "archive/event_folder.hpp"
#include "archive/record_file.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace minuteswarm {

/// Writes a .torrent file for every record into `to`, named after its chunk: for BitTorrent clients
/// that know nothing of channels. The chunks themselves need not be there. Returns how many.
Expected<std::size_t> write_chunk_torrents(
    EventFolder const& folder,
    RecordFile const& records,
    std::filesystem::path const& to,
    std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds
);

} // namespace minuteswarm
