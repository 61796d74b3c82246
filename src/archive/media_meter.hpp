#pragma once

#include "base/bytes.hpp"
#include "base/statements.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace minuteswarm {

/// How much of a chunk whose recording was cut off can be published.
struct UsableMedia {
    std::uint64_t size = 0; ///< bytes up to the end of the last whole packet, frame or fragment
    MediaTime duration{};   ///< of the media in them, as their timestamps or frame lengths have it

    bool operator==(UsableMedia const&) const = default;
};

/// Measures the bytes of one chunk, as they come, without decoding. Pure; keeps only the bytes of
/// an incomplete packet, frame or fragment.
class MediaMeter {
public:
    explicit MediaMeter(Container container);
    ~MediaMeter();

    void add(ByteView bytes);

    /// Nothing when the bytes do not start like a chunk or hold no media.
    [[nodiscard]] std::optional<UsableMedia> result() const;

    /// Bytes up to the end of the last whole packet, frame or fragment.
    [[nodiscard]] std::uint64_t whole_size() const { return size_; }

    /// What a container must tell about itself.
    struct Format {
        virtual ~Format() = default;
        /// Takes whole units off the front of `bytes` and says how many bytes they had: 0 when the
        /// first is incomplete, nothing when it is not of the container.
        virtual std::optional<std::size_t> take(ByteView bytes) = 0;
        /// Of what was taken; zero when that holds no media.
        [[nodiscard]] virtual MediaTime duration() const = 0;
    };

private:
    std::unique_ptr<Format> format_;
    Bytes pending_;
    std::uint64_t size_ = 0;
    bool is_over_ = false;
};

std::unique_ptr<MediaMeter::Format> make_transport_stream_format();
std::unique_ptr<MediaMeter::Format> make_mp3_format();
std::unique_ptr<MediaMeter::Format> make_adts_format();
std::unique_ptr<MediaMeter::Format> make_fragmented_mp4_format();

} // namespace minuteswarm
