#pragma once

#include "base/event_loop.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"
#include "store/byte_ranges.hpp"
#include "store/disk_strand.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>

namespace minuteswarm {

using DiskError = boost::system::error_code;

/// Chunk bytes, once: every stage that needs a chunk's bytes reads them here. Recent blocks stay in
/// memory (bounded); all go to a file on the disk strand. Loop-only; answers are always posted.
class Store {
public:
    struct Options {
        std::size_t memory = limits::chunk_memory;
    };
    using ReadDone = std::function<void(DiskError, SharedBytes)>;
    using Done = std::function<void(DiskError)>;

    Store(EventLoop& loop, DiskStrand& disk, Options options)
        : loop_(loop)
        , disk_(disk)
        , options_(options) {}

    /// Makes a chunk known: `size` bytes that are or will be in `file`. Its folder must exist.
    /// Nothing is verified yet. Does nothing if the chunk is known already. Without a size, which
    /// is for `set_size` to tell, it takes up to `limits::chunk_size` bytes and is never complete.
    void
    add(ChunkKey const& key, std::filesystem::path const& file, std::optional<std::uint64_t> size);

    /// Tells the size of a chunk that was added without; what it has beyond that is dropped. The
    /// first statement holds.
    void set_size(ChunkKey const& key, std::uint64_t size);

    /// Forgets a chunk and, if asked, unlinks its file once what is under way is through.
    void remove(ChunkKey const& key, bool unlink_file);

    [[nodiscard]] bool has(ChunkKey const& key) const { return chunks_.contains(key); }
    /// 0 for an unknown chunk and for an unknown size.
    [[nodiscard]] std::uint64_t size(ChunkKey const& key) const;

    /// Bytes from the swarm; readable at once, unverified until `mark_verified`. `done` may be
    /// empty. What could not be written counts as verified for as long as it stays in memory.
    void write(ChunkKey const& key, std::uint64_t offset, SharedBytes bytes, Done done);

    /// Bytes that are in the file already: saves the read while they stay in memory.
    void remember(ChunkKey const& key, std::uint64_t offset, SharedBytes bytes);

    /// Exactly [offset, offset + length): from memory, else from the file.
    void read(ChunkKey const& key, std::uint64_t offset, std::size_t length, ReadDone done);

    /// Which bytes are known to be what the record says.
    void mark_verified(ChunkKey const& key, std::uint64_t begin, std::uint64_t end);
    /// Takes that back for bytes that turned out to be wrong; they stay until others replace them.
    void unverify(ChunkKey const& key, std::uint64_t begin, std::uint64_t end);
    [[nodiscard]] ByteRanges const& verified(ChunkKey const& key) const;
    [[nodiscard]] bool is_complete(ChunkKey const& key) const;

    /// Called on the loop when writing fails (disk full), and with no error when it works again.
    std::function<void(DiskError)> on_disk_state;

    [[nodiscard]] std::size_t memory_used() const { return memory_used_; }
    /// Verified bytes of all chunks: what the files hold at least.
    [[nodiscard]] std::uint64_t disk_used() const { return disk_used_; }
    [[nodiscard]] bool is_disk_failing() const { return disk_failing_; }
    /// More bytes wait for the disk than may.
    [[nodiscard]] bool is_disk_slow() const { return disk_.is_full(); }

private:
    struct Place {
        ChunkKey key;
        std::uint64_t offset = 0;
    };
    struct Block {
        SharedBytes bytes;
        std::size_t writes = 0;          // under way: not to be evicted
        bool is_unwritten = false;       // the disk did not take it: only here
        std::list<Place>::iterator used; // in oldest_first_
    };
    using Blocks = std::map<std::uint64_t, Block>;
    struct Chunk {
        std::filesystem::path file;
        std::optional<std::uint64_t> size;
        std::uint64_t written_to = 0; // where the file ends at most
        ByteRanges verified;
        Blocks blocks; // by offset; they do not overlap

        [[nodiscard]] std::uint64_t size_at_most() const {
            return size.value_or(limits::chunk_size);
        }
    };
    using Chunks = std::map<ChunkKey, Chunk>;

    static bool is_within(Chunk const& chunk, std::uint64_t offset, std::size_t length);
    Blocks::iterator evict(Chunk& chunk, Blocks::iterator block);
    void cut_blocks(Chunk& chunk, std::uint64_t size);
    void forget_overlapped(Chunk& chunk, std::uint64_t begin, std::uint64_t end);
    Block& keep(ChunkKey const& key, Chunk& chunk, std::uint64_t offset, SharedBytes bytes);
    static SharedBytes from_memory(Chunk const& chunk, std::uint64_t offset, std::size_t length);
    void on_written(ChunkKey const& key, std::uint64_t offset, DiskError error);
    void shrink();

    EventLoop& loop_;
    DiskStrand& disk_;
    Options options_;
    Chunks chunks_;
    std::list<Place> oldest_first_;
    std::size_t memory_used_ = 0;
    std::uint64_t disk_used_ = 0;
    bool disk_failing_ = false;
};

} // namespace minuteswarm
