#include "input/descriptor_reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

namespace minuteswarm {
namespace {

constexpr int buffer_size = 64 * 1024; // a pipe's own size
constexpr int poll_ms = 100;           // how soon a stop is seen

} // namespace

void DescriptorReader::FreeIo::operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
}

DescriptorReader::DescriptorReader(int descriptor, bool owns_descriptor, std::stop_token stop)
    : descriptor_(descriptor)
    , owns_descriptor_(owns_descriptor)
    , stop_(std::move(stop)) {
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(buffer_size));
    if (!buffer) throw std::bad_alloc();
    io_.reset(avio_alloc_context(buffer, buffer_size, 0, this, &read, nullptr, nullptr));
    if (!io_) {
        av_free(buffer);
        throw std::bad_alloc();
    }
    io_->seekable = 0;
}

DescriptorReader::~DescriptorReader() {
    if (owns_descriptor_) ::close(descriptor_);
}

int DescriptorReader::read(void* self, std::uint8_t* to, int size) {
    return static_cast<DescriptorReader*>(self)->read_some(to, size);
}

int DescriptorReader::read_some(std::uint8_t* to, int size) {
    while (!stop_.stop_requested()) {
        pollfd wanted{descriptor_, POLLIN, 0};
        if (::poll(&wanted, 1, poll_ms) == 0) continue;
        auto const count = ::read(descriptor_, to, static_cast<std::size_t>(size));
        if (count > 0) {
            has_read_ = true;
            return static_cast<int>(count);
        }
        if (count == 0) return AVERROR_EOF;
        if (errno != EINTR && errno != EAGAIN) return AVERROR(errno);
    }
    return AVERROR_EXIT;
}

} // namespace minuteswarm
