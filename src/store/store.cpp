#include "store/store.hpp"

#include "store/file_access.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace minuteswarm {

void Store::add(
    ChunkKey const& key, std::filesystem::path const& file, std::optional<std::uint64_t> size
) {
    assert(loop_.is_current());
    auto const [place, is_new] = chunks_.try_emplace(key);
    if (!is_new) return;
    place->second.file = file;
    place->second.size = size;
}

void Store::set_size(ChunkKey const& key, std::uint64_t size) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end() || found->second.size) return;
    auto& chunk = found->second;
    chunk.size = size;
    unverify(key, size, limits::chunk_size);
    cut_blocks(chunk, size);
    if (chunk.written_to <= size) return;
    disk_.run(0, [file = chunk.file, size] { truncate(file, size); });
}

/// Writes that are under way still reach the file; it is cut after them.
void Store::cut_blocks(Chunk& chunk, std::uint64_t size) {
    for (auto next = chunk.blocks.begin(); next != chunk.blocks.end();) {
        auto const at = next++;
        auto& block = at->second;
        auto const kept = at->first < size ? size - at->first : 0;
        if (block.bytes->size() <= kept) continue;
        memory_used_ -= block.bytes->size() - kept;
        if (kept == 0) {
            oldest_first_.erase(block.used);
            chunk.blocks.erase(at);
            continue;
        }
        auto const first = block.bytes->begin();
        block.bytes =
            std::make_shared<Bytes const>(first, first + static_cast<std::ptrdiff_t>(kept));
    }
}

void Store::remove(ChunkKey const& key, bool unlink_file) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end()) return;
    for (auto const& [offset, block] : found->second.blocks) {
        memory_used_ -= block.bytes->size();
        oldest_first_.erase(block.used);
    }
    disk_used_ -= found->second.verified.total();
    if (unlink_file) {
        disk_.run(0, [file = found->second.file] { unlink(file); });
    }
    chunks_.erase(found);
}

std::uint64_t Store::size(ChunkKey const& key) const {
    auto const found = chunks_.find(key);
    return found == chunks_.end() ? 0 : found->second.size.value_or(0);
}

/// A block that the disk did not take is gone then, verified or not.
Store::Blocks::iterator Store::evict(Chunk& chunk, Blocks::iterator block) {
    auto const size = block->second.bytes->size();
    memory_used_ -= size;
    oldest_first_.erase(block->second.used);
    if (block->second.is_unwritten) {
        disk_used_ -= chunk.verified.total();
        chunk.verified.remove(block->first, block->first + size);
        disk_used_ += chunk.verified.total();
    }
    return chunk.blocks.erase(block);
}

/// Blocks that newer bytes replace in part: what they still hold besides is in the file.
void Store::forget_overlapped(Chunk& chunk, std::uint64_t begin, std::uint64_t end) {
    auto block = chunk.blocks.lower_bound(begin);
    if (block != chunk.blocks.begin()) {
        auto const before = std::prev(block);
        if (before->first + before->second.bytes->size() > begin) block = before;
    }
    while (block != chunk.blocks.end() && block->first < end) {
        if (block->first == begin) {
            ++block;
            continue;
        }
        block = evict(chunk, block);
    }
}

Store::Block&
Store::keep(ChunkKey const& key, Chunk& chunk, std::uint64_t offset, SharedBytes bytes) {
    forget_overlapped(chunk, offset, offset + bytes->size());
    auto const [place, is_new] = chunk.blocks.try_emplace(offset);
    auto& block = place->second;
    if (is_new) {
        block.used = oldest_first_.insert(oldest_first_.end(), Place{key, offset});
    } else {
        memory_used_ -= block.bytes->size();
        oldest_first_.splice(oldest_first_.end(), oldest_first_, block.used);
    }
    block.bytes = std::move(bytes);
    memory_used_ += block.bytes->size();
    return block;
}

bool Store::is_within(Chunk const& chunk, std::uint64_t offset, std::size_t length) {
    auto const size = chunk.size_at_most();
    return offset <= size && length <= size - offset;
}

void Store::write(ChunkKey const& key, std::uint64_t offset, SharedBytes bytes, Done done) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end() || !is_within(found->second, offset, bytes->size())) {
        if (done) {
            loop_.post([done = std::move(done)] {
                done(make_error_code(boost::system::errc::invalid_argument));
            });
        }
        return;
    }
    auto& block = keep(key, found->second, offset, bytes);
    ++block.writes;
    auto const size = bytes->size();
    found->second.written_to = std::max(found->second.written_to, offset + size);
    disk_.run(
        size,
        [file = found->second.file, offset, bytes = std::move(bytes)] {
            return write_at(file, offset, *bytes);
        },
        [this, key, offset, done = std::move(done)](DiskError error) {
            on_written(key, offset, error);
            if (done) done(error);
        }
    );
    shrink();
}

void Store::on_written(ChunkKey const& key, std::uint64_t offset, DiskError error) {
    if (auto const chunk = chunks_.find(key); chunk != chunks_.end()) {
        auto const block = chunk->second.blocks.find(offset);
        if (block != chunk->second.blocks.end() && block->second.writes > 0) {
            --block->second.writes;
            block->second.is_unwritten = error.failed();
        }
    }
    if (error.failed() != disk_failing_) {
        disk_failing_ = error.failed();
        if (on_disk_state) on_disk_state(error);
    }
    shrink();
}

void Store::remember(ChunkKey const& key, std::uint64_t offset, SharedBytes bytes) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end() || !is_within(found->second, offset, bytes->size())) return;
    keep(key, found->second, offset, std::move(bytes));
    shrink();
}

SharedBytes Store::from_memory(Chunk const& chunk, std::uint64_t offset, std::size_t length) {
    auto block = chunk.blocks.upper_bound(offset);
    if (block == chunk.blocks.begin()) return nullptr;
    --block;
    if (block->first == offset && block->second.bytes->size() == length) return block->second.bytes;

    auto bytes = std::make_shared<Bytes>();
    bytes->reserve(length);
    for (; bytes->size() < length && block != chunk.blocks.end(); ++block) {
        auto const at = offset + bytes->size();
        auto const end = block->first + block->second.bytes->size();
        if (block->first > at) return nullptr;
        if (end <= at) continue;
        auto const take = std::min<std::uint64_t>(end - at, length - bytes->size());
        auto const from =
            block->second.bytes->begin() + static_cast<std::ptrdiff_t>(at - block->first);
        bytes->insert(bytes->end(), from, from + static_cast<std::ptrdiff_t>(take));
    }
    return bytes->size() == length ? bytes : nullptr;
}

void Store::read(ChunkKey const& key, std::uint64_t offset, std::size_t length, ReadDone done) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end() || !is_within(found->second, offset, length)) {
        loop_.post([done = std::move(done)] {
            done(make_error_code(boost::system::errc::invalid_argument), nullptr);
        });
        return;
    }
    if (auto bytes = from_memory(found->second, offset, length)) {
        loop_.post([done = std::move(done), bytes = std::move(bytes)] { done({}, bytes); });
        return;
    }
    // Writes that are still queued run before this job, so the file has them by then.
    disk_.run(
        0,
        [file = found->second.file, offset, length] { return read_at(file, offset, length); },
        [done = std::move(done)](FileRead result) { done(result.error, result.bytes); }
    );
}

void Store::mark_verified(ChunkKey const& key, std::uint64_t begin, std::uint64_t end) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end()) return;
    auto& chunk = found->second;
    disk_used_ -= chunk.verified.total();
    chunk.verified.add(begin, std::min(end, chunk.size_at_most()));
    disk_used_ += chunk.verified.total();
}

void Store::unverify(ChunkKey const& key, std::uint64_t begin, std::uint64_t end) {
    assert(loop_.is_current());
    auto const found = chunks_.find(key);
    if (found == chunks_.end()) return;
    auto& verified = found->second.verified;
    disk_used_ -= verified.total();
    verified.remove(begin, end);
    disk_used_ += verified.total();
}

ByteRanges const& Store::verified(ChunkKey const& key) const {
    static ByteRanges const none;
    auto const found = chunks_.find(key);
    return found == chunks_.end() ? none : found->second.verified;
}

bool Store::is_complete(ChunkKey const& key) const {
    auto const found = chunks_.find(key);
    if (found == chunks_.end()) return false;
    auto const& chunk = found->second;
    return chunk.size && chunk.verified.total() == *chunk.size;
}

void Store::shrink() {
    auto oldest = oldest_first_.begin();
    while (memory_used_ > options_.memory && oldest != oldest_first_.end()) {
        auto& chunk = chunks_.at(oldest->key);
        auto const block = chunk.blocks.find(oldest->offset);
        ++oldest;
        if (block->second.writes == 0) evict(chunk, block);
    }
}

} // namespace minuteswarm
