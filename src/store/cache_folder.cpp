#include "store/cache_folder.hpp"

#include "base/error.hpp"
#include "base/signature.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace minuteswarm {
namespace {

// Only a folder with this file is ever removed: nothing that is not ours, nothing that was kept.
constexpr char lock_name[] = "in-use";

/// The descriptor of a lock that nobody else holds, else -1.
int take_lock(std::filesystem::path const& folder, int flags) {
    auto const file = ::open((folder / lock_name).c_str(), flags | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
    if (file >= 0) ::close(file);
    return -1;
}

void remove_abandoned(std::filesystem::path const& cache) {
    std::error_code ignored;
    for (auto const& entry : std::filesystem::directory_iterator{cache, ignored}) {
        if (!entry.is_directory(ignored) || entry.is_symlink(ignored)) continue;
        auto const lock = take_lock(entry.path(), 0);
        if (lock < 0) continue;
        std::filesystem::remove_all(entry.path(), ignored);
        ::close(lock);
    }
}

} // namespace

CacheFolder::CacheFolder(std::filesystem::path const& cache, bool keep)
    : path_(cache / random_id<SessionId>().hex()) {
    std::error_code error;
    std::filesystem::create_directories(cache, error);
    // Two that start at once must not take each other's new folder for an abandoned one.
    auto const start = ::open(cache.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (start >= 0) ::flock(start, LOCK_EX);
    remove_abandoned(cache);
    if (!error) std::filesystem::create_directory(path_, error);
    if (!error && !keep) lock_ = take_lock(path_, O_CREAT);
    if (start >= 0) ::close(start);
    if (error) {
        throw StartError{concat("--cache: cannot make ", path_.string(), ": ", error.message())};
    }
}

CacheFolder::~CacheFolder() {
    if (lock_ < 0) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    ::close(lock_);
}

} // namespace minuteswarm
