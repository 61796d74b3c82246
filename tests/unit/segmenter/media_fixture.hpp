#pragma once

#include "base/bytes.hpp"
#include "input/libav.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace minuteswarm::test {

/// A folder that goes away with its owner.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "minuteswarm-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;
    [[nodiscard]] std::string file(std::string const& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// An `ffmpeg` process; ended with its owner.
class Ffmpeg {
public:
    /// `arguments`: separated by spaces. `output`: descriptor that becomes its standard output.
    explicit Ffmpeg(std::string const& arguments, int output = -1) {
        std::istringstream words("ffmpeg -nostdin -loglevel quiet -y " + arguments);
        std::vector<std::string> const parts{
            std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
        std::vector<char*> argv;
        for (auto const& part : parts)
            argv.push_back(const_cast<char*>(part.c_str()));
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        auto const code =
            ::posix_spawnp(&process_, "ffmpeg", &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (code != 0) throw std::runtime_error("these tests need the ffmpeg program");
    }
    ~Ffmpeg() { stop(); }
    Ffmpeg(Ffmpeg const&) = delete;
    Ffmpeg& operator=(Ffmpeg const&) = delete;

    bool has_succeeded() {
        int status = 0;
        ::waitpid(process_, &status, 0);
        process_ = 0;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    void stop() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = 0;
    }

private:
    pid_t process_ = 0;
};

inline void make_media(std::string const& arguments) {
    if (!Ffmpeg(arguments).has_succeeded()) throw std::runtime_error("ffmpeg failed: " + arguments);
}

/// Moving picture and a tone; options for two encoders that are quick.
inline std::string picture(int seconds) {
    return "-f lavfi -i testsrc2=size=160x120:rate=25:duration=" + std::to_string(seconds) + " ";
}
inline std::string tone(int seconds) {
    return "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=" + std::to_string(seconds) +
           " ";
}
inline std::string const h264 = "-c:v libx264 -preset veryfast -g 25 -bf 2 -pix_fmt yuv420p ";

inline Bytes read_file(std::string const& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
inline void write_file(std::string const& path, Bytes const& bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(
        reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size())
    );
}

/// What libav reads back from a file.
struct Demuxed {
    struct Unit {
        std::int64_t dts;
        std::int64_t pts;
        bool is_key;
        Bytes bytes;
    };
    std::map<AVMediaType, std::vector<Unit>> streams;
    std::map<AVMediaType, AVCodecID> codecs;

    [[nodiscard]] bool is_monotonic() const {
        for (auto const& [type, units] : streams)
            for (std::size_t i = 1; i < units.size(); ++i)
                if (units[i].dts <= units[i - 1].dts) return false;
        return true;
    }
    [[nodiscard]] Bytes payload(AVMediaType type) const {
        Bytes all;
        for (auto const& unit : streams.at(type))
            append(all, unit.bytes);
        return all;
    }
};

inline Demuxed demux(std::string const& path) {
    Demuxed result;
    AVFormatContext* format = nullptr;
    if (avformat_open_input(&format, path.c_str(), nullptr, nullptr) < 0) return result;
    avformat_find_stream_info(format, nullptr);
    auto* packet = av_packet_alloc();
    while (av_read_frame(format, packet) >= 0) {
        auto const& parameters = *format->streams[packet->stream_index]->codecpar;
        auto const is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
        result.codecs[parameters.codec_type] = parameters.codec_id;
        result.streams[parameters.codec_type].push_back(
            {packet->dts, packet->pts, is_key, {packet->data, packet->data + packet->size}}
        );
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&format);
    return result;
}

/// Transport packets whose continuity counter (ISO/IEC 13818-1, 2.4.3.3) does not follow on.
inline std::size_t continuity_errors(Bytes const& ts) {
    std::map<unsigned, unsigned> last;
    std::size_t errors = ts.size() % 188 == 0 ? 0 : 1;
    for (std::size_t i = 0; i + 188 <= ts.size(); i += 188) {
        if (ts[i] != 0x47) ++errors;
        auto const pid = (ts[i + 1] & 0x1fU) << 8 | ts[i + 2];
        if (pid == 0x1fff || (ts[i + 3] & 0x10) == 0) continue;
        auto const counter = ts[i + 3] & 0x0fU;
        auto const known = last.find(pid);
        if (known != last.end() && counter != ((known->second + 1) & 0x0f)) ++errors;
        last[pid] = counter;
    }
    return errors;
}

} // namespace minuteswarm::test
