#pragma once

#include "archive/file.hpp"
#include "base/statements.hpp"
#include "torrent/info_dict.hpp"

#include <filesystem>
#include <vector>

namespace minuteswarm {

/// What a chunk file is worth, held against its record.
struct ChunkCheck {
    enum class State {
        complete, ///< byte for byte what the record states
        damaged,  ///< there, but some piece is wrong or the file has another size
        missing,  ///< absent or unreadable
    };
    State state = State::missing;
    std::vector<bool> pieces; ///< which are good, one for each of the record's
};

/// Reads the whole file, a piece at a time. Blocking.
ChunkCheck check_chunk(std::filesystem::path const& file, Record const& record);

/// What a record states of the first `size` bytes of a file. Blocking; at least one byte.
Expected<ChunkHashes> hash_chunk_file(File const& file, std::uint64_t size);

} // namespace minuteswarm
