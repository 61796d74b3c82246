#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace minuteswarm {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<std::uint8_t const>;

/// Immutable bytes with several readers: a block on its way to disk, a peer and a player.
using SharedBytes = std::shared_ptr<Bytes const>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(std::string_view text) {
    auto const view = as_bytes(text);
    return {view.begin(), view.end()};
}

inline void append(Bytes& to, ByteView from) {
    to.insert(to.end(), from.begin(), from.end());
}

} // namespace minuteswarm
