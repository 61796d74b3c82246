#pragma once

#include "base/expected.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace minuteswarm {

/// How much of an event stays on disk. Nothing set: all of it.
struct Retention {
    std::optional<MediaTime> age; ///< of a chunk's end, counted back from the newest chunk's end
    std::optional<std::uint64_t> size; ///< bytes of all chunk files

    bool operator==(Retention const&) const = default;
};

/// `24h`, `90m`, `30s`, `7d`; `500M`, `10G`, `2T` (powers of 1024); `all`. At least one second or
/// one byte.
Expected<Retention> parse_retention(std::string_view text);

struct KeptChunk {
    ChunkNumber number;
    MediaTime end{};
    std::uint64_t size = 0;
};

/// Chunks that are never deleted: what viewers that join or lag still ask for.
inline constexpr std::size_t retention_floor = 15;

/// Which of the kept chunks go, oldest first. `kept` is ascending. Pure; uses no clock, so that a
/// stepped one deletes nothing.
std::vector<ChunkNumber> expired_chunks(
    Retention const& retention, std::span<KeptChunk const> kept, std::size_t floor = retention_floor
);

} // namespace minuteswarm
