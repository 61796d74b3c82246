#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace minuteswarm::test {

/// Media for tests, made by the ffmpeg program: `arguments` without inputs' common options.
inline void run_ffmpeg(std::string const& arguments) {
    auto const command = "ffmpeg -nostdin -y -loglevel error " + arguments;
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

/// What ffprobe prints.
inline std::string run_ffprobe(std::string const& arguments) {
    auto const command = "ffprobe -v error " + arguments + " 2>&1";
    struct Close {
        void operator()(FILE* pipe) const { ::pclose(pipe); }
    };
    std::unique_ptr<FILE, Close> const pipe(::popen(command.c_str(), "r"));
    std::string text;
    std::array<char, 4096> buffer{};
    while (auto const got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
        text.append(buffer.data(), got);
    }
    return text;
}

/// Duration in seconds that a file's container states.
inline double media_seconds(std::filesystem::path const& file) {
    return std::stod(run_ffprobe("-show_entries format=duration -of csv=p=0 " + file.string()));
}

/// Packets of the first video or audio stream: `kind` is v or a.
inline int packet_count(std::filesystem::path const& file, char kind) {
    return std::stoi(run_ffprobe(
        std::string(
            "-count_packets -show_entries stream=nb_read_packets -of csv=p=0 -select_streams "
        ) +
        kind + ":0 " + file.string()
    ));
}

/// Small pictures of `size` and a tone, keyframes each second, `seconds` long, cut every 2 seconds
/// by one muxer: chunks of 50 video packets. Returns the files in order.
inline std::vector<std::filesystem::path> make_ts_chunks(
    std::filesystem::path const& folder, int seconds, std::string const& size = "160x120"
) {
    std::filesystem::create_directories(folder);
    auto const length = std::to_string(seconds);
    run_ffmpeg(
        "-f lavfi -i testsrc2=size=" + size + ":rate=25:duration=" + length +
        " -f lavfi -i sine=sample_rate=48000:duration=" + length +
        " -c:v libx264 -preset ultrafast -bf 2 -g 25 -sc_threshold 0 -pix_fmt yuv420p"
        " -c:a aac -b:a 64k -f hls -hls_time 2 -hls_list_size 0 -hls_segment_filename " +
        (folder / "%03d.ts").string() + " " + (folder / "list.m3u8").string()
    );
    std::vector<std::filesystem::path> files;
    for (int index = 0;; ++index) {
        std::array<char, 16> name{};
        std::snprintf(name.data(), name.size(), "%03d.ts", index);
        if (!std::filesystem::exists(folder / name.data())) return files;
        files.push_back(folder / name.data());
    }
}

} // namespace minuteswarm::test
