#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace minuteswarm {

/// Puts the stream's title between the audio bytes of one client that asked for it (`Icy-MetaData:
/// 1`), the way Icecast does: after each `interval` bytes a length byte n and 16 n bytes of text; n
/// = 0 if nothing changed. Pure.
class IcyMetadata {
public:
    static constexpr std::size_t interval = 16'000;

    /// `audio` with the metadata blocks that are due in it.
    Bytes insert(ByteView audio, std::string_view title);

private:
    std::size_t until_block_ = interval;
    std::string sent_;
};

/// A text that can stand in an HTTP or ICY field: control characters become spaces.
std::string field_text(std::string_view text);

} // namespace minuteswarm
