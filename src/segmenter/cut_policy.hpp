#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace minuteswarm {

/// Decides where chunks of one epoch begin and end. Pure.
class CutPolicy {
public:
    struct Options {
        MediaTime target{};
        bool has_video = true;
    };
    struct Arrival {
        bool is_video = false;
        bool is_key = false;
        MediaTime time{};       ///< decoding time
        std::uint64_t size = 0; ///< of the chunk in progress, in bytes
    };
    enum class Decision {
        keep,        ///< belongs to the chunk in progress
        cut,         ///< begins the next chunk, at a random access point
        cut_anywhere ///< begins the next chunk because this one must not grow on
    };

    explicit CutPolicy(Options options);

    /// Whether an epoch may begin with this packet: video begins with a keyframe.
    [[nodiscard]] bool can_start(bool is_video, bool is_key) const;
    /// The first packet of the epoch, one that `can_start`.
    void start(MediaTime time);
    /// Every later one, before it is written.
    Decision decide(Arrival const& arrival);

    /// A line for the user, once: keyframes are too far apart for the chunk duration.
    std::optional<std::string> take_warning();

private:
    [[nodiscard]] bool is_random_access(Arrival const& arrival) const;
    void observe_keyframe(Arrival const& arrival);
    void warn(MediaTime keyframe_distance, bool is_at_least);
    void begin_chunk(MediaTime time, bool is_independent);

    Options options_;
    MediaTime longest_;
    MediaTime chunk_start_{};
    MediaTime last_keyframe_{};
    bool is_independent_ = true;
    bool has_warned_ = false;
    std::optional<std::string> warning_;
};

} // namespace minuteswarm
