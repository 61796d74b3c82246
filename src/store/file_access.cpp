#include "store/file_access.hpp"

#include <boost/system/error_code.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace minuteswarm {
namespace {

using boost::system::error_code;

class Descriptor {
public:
    Descriptor(std::filesystem::path const& file, int flags)
        : number_(::open(file.c_str(), flags | O_CLOEXEC, 0644)) {} // NOLINT: open(2) is variadic
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }

private:
    int number_;
};

error_code last_error() {
    return {errno, boost::system::system_category()};
}

} // namespace

error_code write_at(std::filesystem::path const& file, std::uint64_t offset, ByteView bytes) {
    Descriptor const descriptor{file, O_WRONLY | O_CREAT};
    if (!descriptor.is_open()) return last_error();
    while (!bytes.empty()) {
        auto const written =
            ::pwrite(descriptor.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return last_error();
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

FileRead read_at(std::filesystem::path const& file, std::uint64_t offset, std::size_t length) {
    Descriptor const descriptor{file, O_RDONLY};
    if (!descriptor.is_open()) return {last_error(), nullptr};
    auto bytes = std::make_shared<Bytes>(length);
    std::size_t filled = 0;
    while (filled < length) {
        auto const got = ::pread(
            descriptor.number(),
            bytes->data() + filled,
            length - filled,
            static_cast<off_t>(offset + filled)
        );
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return {last_error(), nullptr};
        if (got == 0) return {make_error_code(boost::system::errc::io_error), nullptr};
        filled += static_cast<std::size_t>(got);
    }
    return {{}, std::move(bytes)};
}

void truncate(std::filesystem::path const& file, std::uint64_t size) {
    std::error_code ignored; // one that could not be written is not longer
    auto const now = std::filesystem::file_size(file, ignored);
    if (!ignored && now > size) std::filesystem::resize_file(file, size, ignored);
}

void unlink(std::filesystem::path const& file) {
    std::error_code ignored; // it may never have been written
    std::filesystem::remove(file, ignored);
}

} // namespace minuteswarm
