#include "older_records.hpp"

#include "base/limits.hpp"

#include <utility>

namespace minuteswarm {

void read_record(
    DiskStrand& disk,
    std::shared_ptr<RecordFile const> records,
    ChunkKey const& key,
    std::function<void(std::optional<Record>)> reply
) {
    auto read = [records = std::move(records), key]() -> std::optional<Record> {
        auto record = records->read(key.rendition, key.number);
        return record ? std::optional{std::move(record->value)} : std::nullopt;
    };
    disk.run(0, std::move(read), std::move(reply));
}

void read_records(
    DiskStrand& disk,
    std::shared_ptr<RecordFile const> records,
    GetRecordsMessage const& wanted,
    std::function<void(std::vector<Statement>)> reply
) {
    auto read = [records = std::move(records), wanted] {
        return records->read_range(
            wanted.rendition, wanted.first, wanted.count, limits::records_reply_size
        );
    };
    disk.run(0, std::move(read), std::move(reply));
}

} // namespace minuteswarm
