#pragma once

#include "archive/event_folder.hpp"
#include "archive/file.hpp"
#include "archive/record_file.hpp"
#include "base/statements.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace minuteswarm {

/// The chunk in progress: `chunks/<chunk name>.part`, which gets bytes before any peer does, beside
/// `chunks/<chunk name>.part.info`, which says what its record will. Blocking, on the disk strand.
///
/// The order that makes a kill harmless at any point: `create`, `append`…, `sync`, then the signed
/// record is appended to the RecordFile, then `close`. So a file under a chunk's name always has
/// its record, and a number that was used has a `.part.info` or a record.
class PartFile {
public:
    /// `opening` is the chunk's record without what its bytes and its end decide: duration, size,
    /// hashes. It is on the disk when this returns.
    static Expected<PartFile> create(EventFolder const& folder, Record const& opening);

    [[nodiscard]] Record const& opening() const { return opening_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Open whatever its name is.
    [[nodiscard]] File const& file() const { return file_; }

    /// After an error (disk full) none of the bytes counts, and the call can be repeated.
    Completion append(ByteView bytes);
    /// From here on the file is what was appended, and nothing else.
    Completion sync();
    /// Gives the file its chunk's name, durably. The record must be on the disk. After an error the
    /// call can be repeated.
    Completion close();

private:
    PartFile(EventFolder const& folder, Record opening, File file)
        : folder_(folder)
        , opening_(std::move(opening))
        , file_(std::move(file)) {}

    EventFolder folder_;
    Record opening_;
    File file_;
    std::uint64_t size_ = 0;
};

/// How a publisher goes on with an event after it was killed.
struct Resumption {
    /// The chunk that was in progress, cut at its last whole packet and ready to be signed: append
    /// its record, then `close_part`.
    std::optional<Record> part;
    ChunkNumber next;      ///< where recording goes on, in a new run
    MediaTime media_end{}; ///< end of what there is: not before this
    /// Why the event can't be gone on with, ever, since a number might come to stand for other
    /// bytes (power cut, lost files): start a new event. Nothing of the above counts then.
    std::optional<std::string> refusal;
};

/// Looks at what a killed publisher left and puts it in order. An error (disk full, no permission)
/// says nothing about the event: it may go on another time.
Expected<Resumption>
resume_event(EventFolder const& folder, RecordFile const& records, RenditionId rendition);

/// Gives a part file its chunk's name, as PartFile::close does.
Completion close_part(EventFolder const& folder, Record const& record);

} // namespace minuteswarm
