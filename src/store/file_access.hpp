#pragma once

#include "base/bytes.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <filesystem>

namespace minuteswarm {

/// Blocking file access; only ever called on the disk strand. Files are opened for each call, so
/// that an archive of any length needs one descriptor.
struct FileRead {
    boost::system::error_code error;
    SharedBytes bytes; ///< exactly as many as were asked for, or none
};

boost::system::error_code
write_at(std::filesystem::path const& file, std::uint64_t offset, ByteView bytes);
FileRead read_at(std::filesystem::path const& file, std::uint64_t offset, std::size_t length);
/// Cuts off what a file has beyond `size` bytes.
void truncate(std::filesystem::path const& file, std::uint64_t size);
void unlink(std::filesystem::path const& file);

} // namespace minuteswarm
