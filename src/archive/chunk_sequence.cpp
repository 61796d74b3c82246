#include "archive/chunk_sequence.hpp"

#include "archive/chunk_check.hpp"

#include <cerrno>
#include <new>
#include <utility>

namespace minuteswarm {

namespace {

constexpr std::size_t io_buffer_size = 64 * 1024;

AvIo make_io(void* self, int (*read)(void*, std::uint8_t*, int)) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(io_buffer_size));
    auto* io = avio_alloc_context(
        buffer, static_cast<int>(io_buffer_size), 0, self, read, nullptr, nullptr
    );
    if (io == nullptr) {
        av_free(buffer);
        throw std::bad_alloc();
    }
    io->seekable = 0;
    return AvIo(io);
}

} // namespace

ChunkSequence::ChunkSequence(
    EventFolder const& folder,
    RecordFile const& records,
    RenditionId rendition,
    std::vector<ChunkNumber> numbers
)
    : folder_(folder)
    , records_(records)
    , rendition_(rendition)
    , numbers_(std::move(numbers))
    , io_(make_io(this, read_for_libav)) {}

Completion ChunkSequence::open_next() {
    auto const number = numbers_[position_++];
    auto const record = records_.read(rendition_, number);
    if (!record) {
        skipped_.push_back(number);
        return std::monostate{};
    }
    auto const path = folder_.chunk(record->value);
    if (check_chunk(path, record->value).state != ChunkCheck::State::complete) {
        skipped_.push_back(number);
        return std::monostate{};
    }
    auto file = File::open(path, File::Access::read);
    if (!file) return file.error();
    file_.emplace(std::move(*file));
    offset_ = 0;
    if (!begin_) begin_ = record->value.media_time;
    return std::monostate{};
}

Expected<std::size_t> ChunkSequence::read(std::span<std::uint8_t> to) {
    while (true) {
        if (file_) {
            auto const got = file_->read_at(offset_, to);
            if (!got || *got > 0) {
                offset_ += got ? *got : 0;
                bytes_read_ += got ? *got : 0;
                return got;
            }
            file_.reset();
        }
        if (position_ == numbers_.size()) return std::size_t{0};
        if (auto opened = open_next(); !opened) return opened.error();
    }
}

int ChunkSequence::read_for_libav(void* self, std::uint8_t* to, int size) {
    auto const got = static_cast<ChunkSequence*>(self)->read({to, static_cast<std::size_t>(size)});
    if (!got) return AVERROR(EIO);
    return *got == 0 ? AVERROR_EOF : static_cast<int>(*got);
}

} // namespace minuteswarm
