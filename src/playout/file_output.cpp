#include "playout/file_output.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace minuteswarm {
namespace {

constexpr int poll_milliseconds = 100;

std::error_code write_all(int descriptor, ByteView bytes, std::atomic<bool> const& stopping) {
    while (!bytes.empty()) {
        pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
        if (::poll(&ready, 1, poll_milliseconds) == 0) {
            if (stopping) return std::make_error_code(std::errc::operation_canceled);
            continue;
        }
        // A pipe takes at least this much without blocking once it is ready (POSIX PIPE_BUF).
        constexpr std::size_t at_once = 4096;
        auto const is_file = (ready.revents & POLLOUT) == 0;
        auto const length = is_file ? bytes.size() : std::min(bytes.size(), at_once * 16);
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
