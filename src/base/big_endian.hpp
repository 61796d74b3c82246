#pragma once

#include "base/bytes.hpp"

#include <concepts>
#include <cstddef>
#include <optional>

namespace minuteswarm {

template <std::unsigned_integral Integer>
void append_be(Bytes& to, Integer value) {
    for (auto shift = sizeof(Integer) * 8; shift > 0;) {
        shift -= 8;
        to.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

/// Takes big-endian integers and byte strings off the front of foreign bytes; none once they have
/// run out: when the last of several takes gave a value, all did.
class BigEndianReader {
public:
    explicit BigEndianReader(ByteView bytes)
        : rest_(bytes) {}

    template <std::unsigned_integral Integer>
    std::optional<Integer> take() {
        auto const bytes = take_bytes(sizeof(Integer));
        if (!bytes) return std::nullopt;
        std::uint64_t value = 0;
        for (auto const byte : *bytes)
            value = value << 8 | byte;
        return static_cast<Integer>(value);
    }

    std::optional<ByteView> take_bytes(std::size_t count) {
        if (rest_.size() < count) {
            rest_ = {};
            return std::nullopt;
        }
        auto const taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    [[nodiscard]] ByteView rest() const { return rest_; }
    [[nodiscard]] bool is_empty() const { return rest_.empty(); }

private:
    ByteView rest_;
};

} // namespace minuteswarm
