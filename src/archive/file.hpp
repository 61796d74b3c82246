#pragma once

#include "base/bytes.hpp"
#include "base/expected.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace minuteswarm {

/// That something was done, or one line that says why not.
using Completion = Expected<std::monostate>;

/// An open file whose errors are lines that name it. Blocking: for the disk strand and for
/// start-up.
class File {
public:
    enum class Access { read, write };

    static Expected<File> open(std::filesystem::path const& path, Access access);
    /// Makes the file if it is absent.
    static Expected<File> open_or_create(std::filesystem::path const& path);
    /// Refuses a path that exists.
    static Expected<File> create(std::filesystem::path const& path, unsigned mode = 0666);

    File(File&& other) noexcept
        : path_(std::move(other.path_))
        , descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~File();

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }
    [[nodiscard]] int descriptor() const { return descriptor_; }

    [[nodiscard]] Expected<std::uint64_t> size() const;
    /// How many bytes were read: less than asked for only at the file's end.
    Expected<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> to) const;
    Completion write_at(std::uint64_t offset, ByteView bytes);
    Completion truncate(std::uint64_t size);
    /// Returns when the bytes and the size are on the disk.
    Completion sync();

private:
    File(std::filesystem::path path, int descriptor)
        : path_(std::move(path))
        , descriptor_(descriptor) {}
    static Expected<File> open_with(std::filesystem::path const& path, int flags, unsigned mode);
    [[nodiscard]] Error failure(std::string_view what) const;

    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// `cannot <what> <path>: <reason of errno>`
Error file_error(std::string_view what, std::filesystem::path const& path, int error_number);

/// `error` about a file of a passing name, with what a person knows in its place.
Error with_known_name(
    Error error, std::filesystem::path const& passing, std::filesystem::path const& known
);

/// Makes names in `folder` (new, renamed, removed) survive a power cut.
Completion sync_folder(std::filesystem::path const& folder);

/// Makes the folder and those above it, durably.
Completion make_folders(std::filesystem::path const& folder);

/// After this, and after a crash at any point of it, the file is either as before or holds all of
/// `bytes`.
Completion write_file(std::filesystem::path const& path, ByteView bytes, unsigned mode = 0666);

/// As rename(2), durably; both in the same folder.
Completion move_file(std::filesystem::path const& from, std::filesystem::path const& to);

/// A whole small file; more than `limit` bytes is an error.
Expected<Bytes> read_file(std::filesystem::path const& path, std::size_t limit);

} // namespace minuteswarm
