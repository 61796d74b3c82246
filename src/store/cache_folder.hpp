#pragma once

#include <filesystem>

namespace minuteswarm {

/// A folder of its own for one process's chunks below a cache that several may share. What a
/// process that was killed has left there goes when the next one starts.
class CacheFolder {
public:
    /// Throws StartError if it cannot be made. With `keep` it stays at the end, and for ever.
    CacheFolder(std::filesystem::path const& cache, bool keep);
    ~CacheFolder();
    CacheFolder(CacheFolder const&) = delete;
    CacheFolder& operator=(CacheFolder const&) = delete;

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
    int lock_ = -1; ///< held open: its lock says that the folder is in use
};

} // namespace minuteswarm
