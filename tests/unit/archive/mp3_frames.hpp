#pragma once

#include "support/archive_builder.hpp"

#include <algorithm>
#include <array>

namespace minuteswarm::test {

/// MP3 frames of 48 kHz and 64 kbit/s: 192 bytes and 24 ms each.
inline Bytes mp3_frames(std::size_t count) {
    auto bytes = random_bytes(count * 192);
    for (std::size_t index = 0; index < count; ++index) {
        auto const header = std::array<std::uint8_t, 4>{0xff, 0xfb, 0x54, 0xc4};
        std::ranges::copy(header, bytes.begin() + static_cast<std::ptrdiff_t>(index * 192));
    }
    return bytes;
}

} // namespace minuteswarm::test
