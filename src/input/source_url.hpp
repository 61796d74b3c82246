#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace minuteswarm {

/// How a source comes, stays and goes.
enum class SourceKind {
    file,     ///< recorded: paced, ends, can be looped
    pipe,     ///< standard input or a FIFO: ends with its writer
    listener, ///< waits for an encoder, and again after it has left
    live      ///< fetched from a server: opened again when lost
};

/// What the user gave as input, read into what libav needs to open it. Pure.
struct SourceUrl {
    SourceKind kind = SourceKind::file;
    std::string url;   ///< for avformat_open_input; a path stands there with "file:"
    std::string shown; ///< for people: without passwords, passphrases and queries
    std::vector<std::pair<std::string, std::string>> options;
    /// How long opening may take; without it, until stopped.
    std::optional<std::chrono::seconds> open_timeout;
};

SourceUrl parse_source_url(std::string_view text);

} // namespace minuteswarm
