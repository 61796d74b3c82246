#pragma once

#include "archive/export_input.hpp"
#include "archive/file.hpp"
#include "archive/libav.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace minuteswarm {

/// One file of an export. Under another name until it is whole; gone if that never happens.
/// Blocking.
class ExportOutput {
public:
    /// Refuses endings that name no format and streams that the format can't hold.
    static Expected<ExportOutput> open(
        std::filesystem::path const& path,
        std::vector<AVStream const*> const& streams,
        std::string const& title
    );
    ExportOutput(ExportOutput&&) noexcept = default;
    ExportOutput& operator=(ExportOutput&&) = delete;
    ~ExportOutput();

    /// Whether an epoch with these streams can go on in this file.
    [[nodiscard]] bool fits(std::vector<AVStream const*> const& streams) const;
    /// What is written from now on has its `first` packet, an epoch's first of the reference
    /// stream, where the file ends so far. `streams` must fit.
    void join(EpochPacket const& first, std::vector<AVStream const*> const& streams);
    Completion write(EpochPacket packet);
    /// Writes what belongs at the file's end and gives it its name.
    Completion finish();

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }
    [[nodiscard]] MediaTime duration() const { return end_; }

private:
    struct Track {
        AvParameters parameters; ///< of the streams that fit: the muxer changes its own
        AVRational input_base{};
        std::optional<std::int64_t> last_dts;
    };

    ExportOutput(std::filesystem::path path, AvOutput output);
    Completion start(std::vector<AVStream const*> const& streams, std::string const& title);
    [[nodiscard]] std::filesystem::path unfinished() const;
    [[nodiscard]] Error failure(int code) const;

    std::filesystem::path path_;
    AvOutput output_;
    std::vector<Track> tracks_;
    MediaTime shift_{}; ///< file time = stream's clock + shift
    MediaTime end_{};
};

/// The endings an export may have, for messages: ".mp4, .mkv, …".
std::string export_endings();

} // namespace minuteswarm
