#include "archive/file.hpp"

#include "base/signature.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace minuteswarm {

namespace {

std::filesystem::path folder_of(std::filesystem::path const& path) {
    auto const parent = path.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

} // namespace

Error file_error(std::string_view what, std::filesystem::path const& path, int error_number) {
    return Error{concat(
        "cannot ",
        what,
        " ",
        path.string(),
        ": ",
        std::error_code(error_number, std::generic_category()).message()
    )};
}

Error with_known_name(
    Error error, std::filesystem::path const& passing, std::filesystem::path const& known
) {
    if (auto const at = error.message.find(passing.string()); at != std::string::npos)
        error.message.replace(at, passing.string().size(), known.string());
    return error;
}

Error File::failure(std::string_view what) const {
    return file_error(what, path_, errno);
}

Expected<File> File::open_with(std::filesystem::path const& path, int flags, unsigned mode) {
    int const descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (descriptor < 0) return file_error("open", path, errno);
    return File(path, descriptor);
}

Expected<File> File::open(std::filesystem::path const& path, Access access) {
    return open_with(path, access == Access::read ? O_RDONLY : O_RDWR, 0);
}

Expected<File> File::open_or_create(std::filesystem::path const& path) {
    return open_with(path, O_RDWR | O_CREAT, 0666);
}

Expected<File> File::create(std::filesystem::path const& path, unsigned mode) {
    return open_with(path, O_RDWR | O_CREAT | O_EXCL, mode);
}

File::~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Expected<std::uint64_t> File::size() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return failure("examine");
    return static_cast<std::uint64_t>(status.st_size);
}

Expected<std::size_t> File::read_at(std::uint64_t offset, std::span<std::uint8_t> to) const {
    std::size_t got = 0;
    while (got < to.size()) {
        auto const count = ::pread(
            descriptor_, to.data() + got, to.size() - got, static_cast<off_t>(offset + got)
        );
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failure("read");
        if (count == 0) break;
        got += static_cast<std::size_t>(count);
    }
    return got;
}

Completion File::write_at(std::uint64_t offset, ByteView bytes) {
    std::size_t put = 0;
    while (put < bytes.size()) {
        auto const count = ::pwrite(
            descriptor_, bytes.data() + put, bytes.size() - put, static_cast<off_t>(offset + put)
        );
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failure("write");
        put += static_cast<std::size_t>(count);
    }
    return std::monostate{};
}

Completion File::truncate(std::uint64_t size) {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return failure("shorten");
    return std::monostate{};
}

Completion File::sync() {
    if (::fdatasync(descriptor_) != 0) return failure("store");
    return std::monostate{};
}

Completion sync_folder(std::filesystem::path const& folder) {
    auto opened = File::open(folder, File::Access::read);
    if (!opened) return opened.error();
    // Some file systems can't sync folders and say EINVAL; there is nothing better to do then.
    if (::fsync(opened->descriptor()) != 0 && errno != EINVAL) {
        return file_error("store", folder, errno);
    }
    return std::monostate{};
}

Completion make_folders(std::filesystem::path const& folder) {
    std::error_code error;
    if (folder.empty() || std::filesystem::is_directory(folder, error)) return std::monostate{};
    if (auto above = make_folders(folder.parent_path()); !above) return above;
    if (!std::filesystem::create_directory(folder, error) && error) {
        return file_error("make folder", folder, error.value());
    }
    return sync_folder(folder_of(folder));
}

Completion write_file(std::filesystem::path const& path, ByteView bytes, unsigned mode) {
    auto const fresh = std::filesystem::path(concat(path.string(), ".", random_u64(), ".new"));
    auto file = File::create(fresh, mode);
    if (!file) return with_known_name(file.error(), fresh, path);
    auto done = file->write_at(0, bytes);
    if (done) done = file->sync();
    if (done) done = move_file(fresh, path);
    if (done) return done;
    ::unlink(fresh.c_str());
    return with_known_name(done.error(), fresh, path);
}

Completion move_file(std::filesystem::path const& from, std::filesystem::path const& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) return file_error("rename", from, errno);
    return sync_folder(folder_of(to));
}

Expected<Bytes> read_file(std::filesystem::path const& path, std::size_t limit) {
    auto file = File::open(path, File::Access::read);
    if (!file) return file.error();
    auto const size = file->size();
    if (!size) return size.error();
    // One byte more than there is shows its end; files of the system state no size.
    auto const room = *size > 0 ? std::min<std::uint64_t>(*size, limit) : limit;
    Bytes bytes(static_cast<std::size_t>(room) + 1);
    auto const got = file->read_at(0, bytes);
    if (!got) return got.error();
    if (*got > limit) {
        return Error{
            concat(path.string(), " is longer than ", limit, " bytes: not what it should be")};
    }
    bytes.resize(*got);
    return bytes;
}

} // namespace minuteswarm
