#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace minuteswarm::http_test {

inline bool has_line(std::string const& text, std::string const& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// Keeps the reloads of one playlist for the strict checker, which runs after this program.
inline void keep(std::string const& name, std::vector<std::string> const& reloads) {
    auto const* folder = std::getenv("MINUTESWARM_PLAYLISTS");
    if (folder == nullptr) return;
    auto const path = std::filesystem::path{folder} / name;
    std::filesystem::create_directories(path);
    for (std::size_t i = 0; i < reloads.size(); ++i)
        std::ofstream{path / (std::to_string(1000 + i) + ".m3u8")} << reloads[i];
}

} // namespace minuteswarm::http_test
