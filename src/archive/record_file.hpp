#pragma once

#include "archive/event_folder.hpp"
#include "archive/file.hpp"
#include "archive/frame_scan.hpp"
#include "base/statements.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// An event's `feed` file: every statement, verified when it is read, with an index in memory of 24
/// bytes a record. Blocking; all calls on one thread at a time: before the loop runs or on the disk
/// strand.
class RecordFile {
public:
    enum class Access {
        read, ///< leaves the file as it is; another process may be appending
        write ///< makes the file if it is absent and cuts an interrupted write off its end
    };
    /// What the file holds beside this event's statements.
    struct Findings {
        std::uint64_t torn = 0; ///< bytes of an interrupted write at its end (cut off for `write`)
        std::uint64_t damaged = 0; ///< bytes of no genuine statement between others
        std::size_t refused = 0;   ///< genuine, but of another event or against an earlier record
    };

    static Expected<RecordFile> open(EventFolder const& folder, Access access);

    /// Appends and returns when all are on the disk, with one sync. What is known already is passed
    /// over; what is not genuine, of another event, or against a known record is an error and none
    /// is appended. After an error (disk full) nothing of them counts, and the call can be
    /// repeated.
    Completion append(std::span<Statement const> statements);
    Completion append(Statement const& statement) { return append({&statement, 1}); }

    /// Takes in what another process has appended since: a still growing archive.
    Completion refresh();

    [[nodiscard]] Signed<Descriptor> const* descriptor() const;
    [[nodiscard]] Signed<EndRecord> const* end() const;
    [[nodiscard]] Findings const& findings() const { return findings_; }

    [[nodiscard]] std::vector<RenditionId> renditions() const;
    /// Which records there are, ascending.
    [[nodiscard]] std::vector<ChunkNumber> numbers(RenditionId rendition) const;
    [[nodiscard]] std::size_t count(RenditionId rendition) const;
    [[nodiscard]] std::optional<ChunkNumber> newest(RenditionId rendition) const;
    [[nodiscard]] bool has(RenditionId rendition, ChunkNumber number) const;

    /// From the disk. An error when it is not there.
    [[nodiscard]] Expected<Signed<Record>> read(RenditionId rendition, ChunkNumber number) const;

    /// Up to `most` records of consecutive numbers from `first` on, their wire forms together at
    /// most `bytes` long: for replies to `get_records` about records that the feed window has left
    /// behind.
    [[nodiscard]] std::vector<Statement>
    read_range(RenditionId rendition, ChunkNumber first, std::size_t most, std::size_t bytes) const;

private:
    struct Entry {
        ChunkNumber number;
        std::uint64_t offset = 0;
        std::uint32_t size = 0; ///< of the frame
    };
    using Entries = std::vector<Entry>; ///< ascending by number
    enum class Verdict { fresh, known, refused, forged };
    /// A statement on its way into the index.
    struct Candidate {
        Verdict verdict = Verdict::forged;
        std::optional<Signed<Record>> record;
        std::optional<Signed<Descriptor>> descriptor;
        std::optional<Signed<EndRecord>> end;
    };

    RecordFile(EventFolder const& folder, File file)
        : channel_(folder.channel())
        , event_(folder.event())
        , file_(std::move(file)) {}

    Expected<FrameScan> scan();
    [[nodiscard]] Candidate judge(Statement const& statement) const;
    [[nodiscard]] Candidate judge_record(Statement const& statement) const;
    [[nodiscard]] Candidate judge_descriptor(Statement const& statement) const;
    [[nodiscard]] Candidate judge_end(Statement const& statement) const;
    void enter(Candidate candidate, FramePlace const& place);
    [[nodiscard]] Entry const* find(RenditionId rendition, ChunkNumber number) const;
    [[nodiscard]] std::optional<Statement> read_statement(Entry const& entry) const;

    ChannelId channel_;
    EventId event_;
    File file_;
    std::uint64_t end_offset_ = 0; ///< where the next frame goes
    std::map<RenditionId, Entries> records_;
    std::optional<Signed<Descriptor>> descriptor_;
    std::optional<Signed<EndRecord>> end_;
    Findings findings_;
};

} // namespace minuteswarm
