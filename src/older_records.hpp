#pragma once

#include "archive/record_file.hpp"
#include "store/disk_strand.hpp"
#include "swarm/messages.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace minuteswarm {

// What peers ask of an event beyond the feed's window in memory: read from its record file, on the
// disk strand; `reply` is called on the loop.

void read_record(
    DiskStrand& disk,
    std::shared_ptr<RecordFile const> records,
    ChunkKey const& key,
    std::function<void(std::optional<Record>)> reply
);

/// At most `limits::records_reply_size` bytes.
void read_records(
    DiskStrand& disk,
    std::shared_ptr<RecordFile const> records,
    GetRecordsMessage const& wanted,
    std::function<void(std::vector<Statement>)> reply
);

} // namespace minuteswarm
