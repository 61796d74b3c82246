#include "archive/chunk_check.hpp"

#include "base/text.hpp"
#include "torrent/sha256_stream.hpp"

#include <algorithm>

namespace minuteswarm {

Expected<ChunkHashes> hash_chunk_file(File const& file, std::uint64_t size) {
    ChunkHashes hashes;
    Sha256Stream whole;
    auto const length = piece_length(size);
    Bytes buffer(length);
    for (std::uint64_t offset = 0; offset < size; offset += length) {
        auto const piece = std::span(buffer).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(length, size - offset))
        );
        auto const got = file.read_at(offset, piece);
        if (!got) return got.error();
        if (*got != piece.size()) return Error{concat(file.path().string(), " is too short")};
        hashes.pieces.push_back(sha1(piece));
        whole.add(piece);
    }
    hashes.sha256 = whole.finish();
    return hashes;
}

ChunkCheck check_chunk(std::filesystem::path const& path, Record const& record) {
    ChunkCheck check{ChunkCheck::State::missing, std::vector<bool>(record.pieces.size(), false)};
    auto const file = File::open(path, File::Access::read);
    if (!file) return check;
    auto const size = file->size();
    if (!size) return check;
    check.state = ChunkCheck::State::damaged;

    Sha256Stream whole;
    auto const length = piece_length(record.size);
    Bytes buffer(length);
    bool is_complete = *size == record.size;
    for (std::size_t index = 0; index < record.pieces.size(); ++index) {
        auto const offset = std::uint64_t{index} * length;
        auto const piece = std::span(buffer).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(length, record.size - offset))
        );
        auto const got = file->read_at(offset, piece);
        check.pieces[index] = got && *got == piece.size() && sha1(piece) == record.pieces[index];
        is_complete = is_complete && check.pieces[index];
        if (is_complete) whole.add(piece);
    }
    if (is_complete && whole.finish() == record.sha256) check.state = ChunkCheck::State::complete;
    return check;
}

} // namespace minuteswarm
