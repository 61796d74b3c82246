#pragma once

#include "base/bytes.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// Where a picture's bytes begin in a chunk, with the tables before it.
struct TsFrame {
    std::uint64_t offset = 0;
    MediaTime time{}; ///< of decoding, since the chunk's first picture
    bool is_random_access_point = false;
};

/// Finds the pictures in the bytes of one chunk of an MPEG transport stream whose PES packets don't
/// interleave, as our muxer writes them: cut before a picture, each piece holds whole frames. Takes
/// any bytes; keeps less than one packet. Pure.
class TsFrames {
public:
    /// The next bytes, cut anywhere; returns the pictures that begin in them. None any more after
    /// bytes that are no transport stream.
    std::vector<TsFrame> feed(ByteView bytes);

private:
    using Packet = std::span<std::uint8_t const>;

    void read(Packet packet, std::vector<TsFrame>& frames);
    void begin_frame(Packet packet, std::size_t payload, std::vector<TsFrame>& frames);

    Bytes carry_;
    std::uint64_t offset_ = 0;                ///< of the packet that is read
    std::optional<std::uint64_t> headers_at_; ///< of tables that nothing has followed yet
    std::optional<std::uint64_t> last_dts_;
    std::uint64_t ticks_ = 0; ///< of 90 kHz, since the first picture
    bool is_damaged_ = false;
};

} // namespace minuteswarm
