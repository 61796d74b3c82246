#pragma once

#include "base/time.hpp"
#include "input/descriptor_reader.hpp"
#include "input/libav.hpp"
#include "input/packet.hpp"
#include "input/source_url.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace minuteswarm {

/// One session with a source: opened, read packet by packet, closed by its destructor.
/// Every call blocks, on the input thread only, and returns within 0.2 s of a stop, except while
/// the system resolves a host name.
class AvInput {
public:
    struct Opening {
        std::unique_ptr<AvInput> input; ///< null when it failed or was stopped
        std::string failure;       ///< one line for a person; empty when stopped or just not yet
        bool is_temporary = false; ///< the same may succeed later
    };
    enum class Read { packet, end, lost, stopped };

    static Opening open(SourceUrl const& source, std::stop_token stop);

    ~AvInput();
    AvInput(AvInput const&) = delete;
    AvInput& operator=(AvInput const&) = delete;

    /// The best video and audio stream; null where there is none. Covers do not count as video.
    [[nodiscard]] AVStream* video() const { return video_; }
    [[nodiscard]] AVStream* audio() const { return audio_; }
    [[nodiscard]] AVStream* stream(int index) const;

    /// Fills `packet` with the next one of `video()` or `audio()`.
    Read read(Packet& packet);
    /// True once, after a stream turned up that is better than having none of its kind.
    bool take_stream_change();
    /// Starts a recorded source over.
    bool rewind();

    /// Has an end of its own: must be paced to run as fast as a clock.
    [[nodiscard]] bool is_recorded() const;
    [[nodiscard]] SourceKind kind() const { return kind_; }
    [[nodiscard]] std::uint64_t bitrate() const;

private:
    struct Close {
        void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
    };

    AvInput(SourceUrl const& source, std::stop_token stop);

    int connect(SourceUrl const& source);
    int attach_pipe(SourceUrl const& source);
    Opening explain(SourceUrl const& source, int code) const;
    void choose_streams();
    void limit_wait(std::optional<std::chrono::seconds> timeout);
    static int is_interrupted(void* self);

    SourceKind kind_;
    std::stop_token stop_;
    std::optional<MonotonicTime> deadline_;
    std::unique_ptr<DescriptorReader> pipe_;
    std::unique_ptr<AVFormatContext, Close> format_;
    AVStream* video_ = nullptr;
    AVStream* audio_ = nullptr;
    unsigned known_streams_ = 0;
    bool has_stream_change_ = false;
};

} // namespace minuteswarm
