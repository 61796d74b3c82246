#pragma once

#include "base/bytes.hpp"
#include "base/event_loop.hpp"
#include "store/disk_strand.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace minuteswarm {

/// The stitched stream into a file or a pipe. Has a thread of its own: a paused player on the other
/// end of a pipe must hold up nothing else. Loop-only.
class FileOutput {
public:
    /// `target`: a path, or `-` for standard output. Throws StartError when it cannot be opened.
    FileOutput(EventLoop& loop, std::string const& target);
    ~FileOutput();
    FileOutput(FileOutput const&) = delete;
    FileOutput& operator=(FileOutput const&) = delete;

    /// One at a time: `done` says when the next may follow, or why none may.
    void write(Bytes bytes, std::function<void(std::error_code)> done);

private:
    struct Descriptor;

    std::shared_ptr<Descriptor> descriptor_;
    std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
    DiskStrand strand_;
};

} // namespace minuteswarm
