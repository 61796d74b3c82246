#pragma once

#include "archive/event_folder.hpp"
#include "archive/record_file.hpp"
#include "archive/verify.hpp"
#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "http/status.hpp"
#include "playback.hpp"
#include "store/disk_strand.hpp"
#include "store/store.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace minuteswarm {

/// Wires an archive on disk to a player's outputs, without any network.
class FolderViewer {
public:
    struct Events {
        std::function<void(std::string const& url)> on_http;
        std::function<void(std::string const& state)> on_state;
        std::function<void(std::string const&)> on_warning;
        std::function<void(std::optional<Error>)> on_stopped;
    };

    /// Throws StartError for a folder that is no archive.
    FolderViewer(
        EventLoop& loop,
        std::filesystem::path const& folder,
        Playback::Options options,
        Events events
    );

    void start();
    void stop() { finish(std::nullopt); }
    [[nodiscard]] Status status() const;

private:
    void check_next();
    void on_checked(Verification::Checked const& checked);
    void check_done();
    void finish(std::optional<Error> error);

    EventLoop& loop_;
    Events events_;
    EventFolder folder_;
    std::shared_ptr<RecordFile> records_;
    std::shared_ptr<Verification> verification_;
    DiskStrand disk_;
    Store store_;
    std::unique_ptr<Playback> playback_;
    Timer timer_;
    std::optional<ChunkNumber> last_;
    bool is_checked_ = false;
    bool had_client_ = false;
    bool has_output_ = false;
    bool is_finished_ = false;
};

} // namespace minuteswarm
