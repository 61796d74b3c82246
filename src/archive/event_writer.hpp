#pragma once

#include "archive/event_folder.hpp"
#include "archive/event_torrent_file.hpp"
#include "archive/key_file.hpp"
#include "archive/part_file.hpp"
#include "archive/record_file.hpp"
#include "base/signature.hpp"
#include "torrent/info_dict.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// A publisher's event on disk, from its first byte to its end. Blocking: made at start-up, then
/// used on the disk strand alone. A call that fails (disk full) may be repeated and then does
/// what it should have done.
class EventWriter {
public:
    /// What closing a chunk made.
    struct Closed {
        Record record;
        Statement statement;
        std::filesystem::path file;
        SharedBytes bytes; ///< of a chunk of at most limits::remembered_chunk; else none
    };
    /// What was there when an event is gone on with.
    struct Resumed {
        ChunkNumber next{1};
        MediaTime media_end{};
        EpochNumber next_epoch{1};
        std::uint64_t next_revision = 1;
        std::optional<Container> container;
    };

    /// Goes on with the channel's newest event in `archive` if that has no end, is whole, and is
    /// the last one that the key has made: a higher one went on elsewhere, and viewers follow that.
    /// Else begins a new one. An error (disk full, no permission) leaves an interrupted event to
    /// another attempt. Throws StartError when the key file can't be written.
    static Expected<EventWriter> open(std::filesystem::path const& archive, KeyFile& key);
    /// Begins a new event, whatever the archive holds.
    static Expected<EventWriter> begin(std::filesystem::path const& archive, KeyFile& key);

    [[nodiscard]] EventFolder const& folder() const { return folder_; }
    [[nodiscard]] RecordFile& records() { return records_; }
    [[nodiscard]] Resumed const& resumed() const { return resumed_; }
    [[nodiscard]] bool is_resumed() const { return is_resumed_; }
    /// Why an interrupted event was left as it is, and this one begun.
    [[nodiscard]] std::optional<std::string> const& refusal() const { return refusal_; }

    Completion open_chunk(Record const& opening);
    Completion append(ByteView bytes);
    Expected<Closed> close_chunk(MediaTime duration);

    Expected<Statement> describe(Descriptor const& descriptor);
    /// The event torrent, if every chunk is still there, and the end record.
    struct Ended {
        Statement statement;
        std::optional<InfoHash> torrent;
        Bytes info_dict;
        std::vector<ChunkNumber> chunks; ///< in it, in order
    };
    /// Takes the next chunk into the event torrent: false when nothing is left to take. A step at a
    /// time, since all bytes are read once more while viewers may still want some.
    bool prepare_end();
    Expected<Ended>
    end(std::vector<std::string> const& trackers, std::vector<std::string> const& web_seeds);

private:
    EventWriter(EventFolder folder, RecordFile records, ChannelKey key)
        : folder_(std::move(folder))
        , records_(std::move(records))
        , key_(std::move(key)) {}

    struct HashedPart {
        ChunkHashes hashes;
        SharedBytes bytes;
    };

    Completion resume();
    Expected<HashedPart> hash_part() const;
    Completion sign_part(Record const& record);

    EventFolder folder_;
    RecordFile records_;
    ChannelKey key_;
    std::optional<PartFile> part_;
    std::optional<EventTorrentMaker> torrent_;
    bool has_torrent_ = true;
    Resumed resumed_;
    std::optional<std::string> refusal_;
    bool is_resumed_ = false;
};

} // namespace minuteswarm
