#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace minuteswarm {

/// An integer that must not be mixed up with another kind of integer.
template <class Tag, class Integer = std::uint64_t>
struct Number {
    Integer value = 0;

    auto operator<=>(Number const&) const = default;
    [[nodiscard]] Number next() const { return {static_cast<Integer>(value + 1)}; }
    Number& operator++() {
        ++value;
        return *this;
    }
    friend Number operator+(Number number, Integer by) {
        return {static_cast<Integer>(number.value + by)};
    }
};

using EventId = Number<struct EventIdTag>;
using ChunkNumber = Number<struct ChunkNumberTag>;
using ByteOffset = Number<struct ByteOffsetTag>;
using RenditionId = Number<struct RenditionIdTag, std::uint32_t>;
using EpochNumber = Number<struct EpochNumberTag, std::uint32_t>;
using NeighbourId = Number<struct NeighbourIdTag>; ///< a connection to a peer

std::string to_hex(ByteView bytes);

/// Fills `out` from exactly twice as many hex digits; false, with `out` undefined, for anything
/// else.
bool from_hex(std::string_view text, std::span<std::uint8_t> out);

/// A byte string of fixed length that is an identity: compared, hashed and printed, never
/// calculated with.
template <class Tag, std::size_t Size>
struct FixedBytes {
    static constexpr std::size_t size = Size;
    std::array<std::uint8_t, Size> bytes{};

    auto operator<=>(FixedBytes const&) const = default;
    [[nodiscard]] ByteView view() const { return bytes; }
    [[nodiscard]] std::string hex() const { return to_hex(bytes); }

    static std::optional<FixedBytes> from(ByteView view) {
        if (view.size() != Size) return std::nullopt;
        FixedBytes result;
        std::copy(view.begin(), view.end(), result.bytes.begin());
        return result;
    }
    static std::optional<FixedBytes> parse_hex(std::string_view text) {
        FixedBytes result;
        if (!from_hex(text, result.bytes)) return std::nullopt;
        return result;
    }
};

using ChannelId = FixedBytes<struct ChannelIdTag, 32>;
using Signature = FixedBytes<struct SignatureTag, 64>;
using RunId = FixedBytes<struct RunIdTag, 8>;
using SessionId = FixedBytes<struct SessionIdTag, 8>;
using Sha1 = FixedBytes<struct Sha1Tag, 20>;
using Sha256 = FixedBytes<struct Sha256Tag, 32>;
using InfoHash = FixedBytes<struct InfoHashTag, 20>;

/// The first 16 hex digits of a channel: what file and folder names carry.
std::string short_hex(ChannelId const& channel);

/// Which chunk, among all that a process may hold.
struct ChunkKey {
    ChannelId channel;
    EventId event;
    RenditionId rendition;
    ChunkNumber number;

    auto operator<=>(ChunkKey const&) const = default;
};

} // namespace minuteswarm

template <class Tag, std::size_t Size>
struct std::hash<minuteswarm::FixedBytes<Tag, Size>> {
    std::size_t operator()(minuteswarm::FixedBytes<Tag, Size> const& id) const noexcept {
        return std::hash<std::string_view>{}(minuteswarm::as_text(id.bytes));
    }
};
