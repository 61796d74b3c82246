#include "playout/file_output.hpp"

#include "base/error.hpp"

#include <climits>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace minuteswarm {
namespace {

constexpr int poll_milliseconds = 100;

// What a pipe that is ready takes without blocking.
constexpr std::size_t pipe_write = PIPE_BUF;

bool is_regular_file(int descriptor) {
    struct stat info {};
    return ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

/// A reader that takes no more must not hold up the end of the program.
std::error_code write_all(int descriptor, ByteView bytes, std::atomic<bool> const& stopping) {
    auto const is_file = is_regular_file(descriptor);
    auto const at_once = is_file ? bytes.size() : pipe_write;
    while (!bytes.empty()) {
        pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
        auto const count = ::poll(&ready, 1, poll_milliseconds);
        if (stopping && !is_file) return std::make_error_code(std::errc::operation_canceled);
        if (count == 0) continue;
        auto const length = std::min(bytes.size(), at_once);
        auto const written = ::write(descriptor, bytes.data(), length);
        if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (written < 0) return {errno, std::generic_category()};
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

} // namespace

struct FileOutput::Descriptor {
    int number = -1;
    bool is_owned = false;
    ~Descriptor() {
        if (is_owned && number >= 0) ::close(number);
    }
};

FileOutput::FileOutput(EventLoop& loop, std::string const& target)
    : descriptor_(std::make_shared<Descriptor>())
    , strand_(loop) {
    if (target == "-") {
        descriptor_->number = STDOUT_FILENO;
        return;
    }
    descriptor_->number =
        ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644); // NOLINT: open(2)
    descriptor_->is_owned = true;
    if (descriptor_->number < 0) {
        throw StartError{
            "cannot write to '" + target + "': " + std::strerror(errno)}; // NOLINT: at start-up
    }
}

FileOutput::~FileOutput() {
    *stopping_ = true;
    strand_.finish();
}

void FileOutput::write(Bytes bytes, std::function<void(std::error_code)> done) {
    auto const size = bytes.size();
    strand_.run(
        size,
        [descriptor = descriptor_, stopping = stopping_, bytes = std::move(bytes)] {
            return write_all(descriptor->number, bytes, *stopping);
        },
        std::move(done)
    );
}

} // namespace minuteswarm
