#pragma once

#include "archive/event_folder.hpp"
#include "archive/libav.hpp"
#include "archive/record_file.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// The bytes of an archive's chunks, one behind the other, as libav reads them. A chunk that is not
/// what its record states is left out.
class ChunkSequence {
public:
    ChunkSequence(
        EventFolder const& folder,
        RecordFile const& records,
        RenditionId rendition,
        std::vector<ChunkNumber> numbers
    );
    ChunkSequence(ChunkSequence const&) = delete;
    ChunkSequence& operator=(ChunkSequence const&) = delete;

    [[nodiscard]] AVIOContext* io() { return io_.get(); }

    /// How many bytes were put into `to`; 0 at the end.
    Expected<std::size_t> read(std::span<std::uint8_t> to);

    /// Media time of the first chunk that was not left out, once it is being read.
    [[nodiscard]] std::optional<MediaTime> begin() const { return begin_; }
    /// Chunks left out so far.
    [[nodiscard]] std::vector<ChunkNumber> const& skipped() const { return skipped_; }
    [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

private:
    static int read_for_libav(void* self, std::uint8_t* to, int size);
    Completion open_next();

    EventFolder const& folder_;
    RecordFile const& records_;
    RenditionId rendition_;
    std::vector<ChunkNumber> numbers_;
    std::size_t position_ = 0;
    std::optional<File> file_;
    std::uint64_t offset_ = 0; // in file_
    std::uint64_t bytes_read_ = 0;
    std::optional<MediaTime> begin_;
    std::vector<ChunkNumber> skipped_;
    AvIo io_;
};

} // namespace minuteswarm
