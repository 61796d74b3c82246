#pragma once

#include "archive/event_folder.hpp"
#include "archive/record_file.hpp"
#include "base/signature.hpp"
#include "base/statements.hpp"
#include "feed/statement_codec.hpp"
#include "support/temp_folder.hpp"
#include "torrent/info_dict.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace minuteswarm::test {

inline Bytes slurp(std::filesystem::path const& file) {
    std::ifstream in(file, std::ios::binary);
    std::string const text{std::istreambuf_iterator<char>(in), {}};
    return to_bytes(text);
}

inline void spill(std::filesystem::path const& file, ByteView bytes) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

inline void spill(std::filesystem::path const& file, std::string_view text) {
    spill(file, as_bytes(text));
}

/// Flips the lowest bit of one byte of a file.
inline void flip(std::filesystem::path const& file, std::size_t offset) {
    auto bytes = slurp(file);
    bytes.at(offset) ^= 1;
    spill(file, bytes);
}

inline Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    fill_random(bytes);
    return bytes;
}

/// Makes signed archives the way a publisher does: descriptor, chunks with records, an end.
class ArchiveBuilder {
public:
    explicit ArchiveBuilder(std::filesystem::path const& archive)
        : folder_(*EventFolder::create(archive, key_.channel(), event_))
        , records_(*RecordFile::open(folder_, RecordFile::Access::write)) {}

    ArchiveBuilder& describe(std::string const& title = "A title", std::uint64_t revision = 1) {
        Descriptor descriptor;
        descriptor.event = event_;
        descriptor.revision = revision;
        descriptor.title = title;
        descriptor.container = container_;
        descriptor.chunk_duration = std::chrono::seconds(2);
        descriptor.start = WallTime{std::chrono::seconds(1'700'000'000)};
        append(sign_statement(descriptor, key_));
        return *this;
    }

    ArchiveBuilder& use(Container container) {
        container_ = container;
        return *this;
    }

    /// What follows starts anew, as after an interruption of the input.
    ArchiveBuilder& new_epoch() {
        ++epoch_;
        is_first_of_epoch_ = true;
        return *this;
    }

    /// The record the next chunk would get, not yet signed.
    [[nodiscard]] Record next_record(ByteView bytes, MediaTime duration) const {
        auto record = opening();
        record.duration = duration;
        record.size = bytes.size();
        auto hashes = hash_chunk(bytes);
        record.pieces = std::move(hashes.pieces);
        record.sha256 = hashes.sha256;
        return record;
    }

    [[nodiscard]] Record opening() const {
        Record record;
        record.event = event_;
        record.run = run_;
        record.epoch = epoch_;
        record.number = number_;
        record.media_time = media_time_;
        record.wall_time = WallTime{std::chrono::seconds(1'700'000'000)} + media_time_;
        record.container = container_;
        record.is_discontinuity = is_first_of_epoch_;
        return record;
    }

    ArchiveBuilder& chunk(ByteView bytes, MediaTime duration = std::chrono::seconds(2)) {
        auto const record = next_record(bytes, duration);
        spill(folder_.chunk(record), bytes);
        append(sign_statement(record, key_));
        media_time_ += duration;
        ++number_;
        is_first_of_epoch_ = false;
        return *this;
    }

    ArchiveBuilder& chunks(std::size_t count, std::size_t size = 40'000) {
        for (std::size_t i = 0; i < count; ++i)
            chunk(random_bytes(size + i));
        return *this;
    }

    ArchiveBuilder& end(std::optional<InfoHash> const& event_torrent = std::nullopt) {
        append(
            sign_statement(EndRecord{event_, ChunkNumber{number_.value - 1}, event_torrent}, key_)
        );
        return *this;
    }

    void append(Statement const& statement) {
        auto const done = records_.append(statement);
        if (!done) throw std::runtime_error(done.error().message);
    }

    [[nodiscard]] EventFolder const& folder() const { return folder_; }
    [[nodiscard]] RecordFile& records() { return records_; }
    [[nodiscard]] ChannelKey const& key() const { return key_; }
    [[nodiscard]] EventId event() const { return event_; }
    [[nodiscard]] ChunkNumber next_number() const { return number_; }
    [[nodiscard]] std::filesystem::path chunk_file(std::uint64_t number) const {
        auto record = opening();
        record.number = ChunkNumber{number};
        return folder_.chunk(record);
    }

private:
    ChannelKey key_ = ChannelKey::generate();
    EventId event_{1'700'000'000'000};
    EventFolder folder_;
    RecordFile records_;
    RunId run_ = random_id<RunId>();
    EpochNumber epoch_{};
    ChunkNumber number_{1};
    MediaTime media_time_{};
    Container container_ = Container::mpeg_ts;
    bool is_first_of_epoch_ = true;
};

} // namespace minuteswarm::test
