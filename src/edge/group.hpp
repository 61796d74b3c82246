#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "edge/stripe.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace minuteswarm {

/// What the source states about one group; the same in every block of it.
struct GroupHeader {
    // Bits of `flags`; the others are written as 0, kept and ignored.
    static constexpr std::uint8_t random_access_flag = 1; ///< a decoder can start here
    static constexpr std::uint8_t last_flag = 2;          ///< the chunk ends with this group
    static constexpr std::uint8_t discontinuity_flag = 4; ///< an epoch starts here

    EventId event;
    RenditionId rendition;
    RunId run;
    GroupNumber group;
    ChunkNumber chunk;
    ByteOffset offset;        ///< of its first byte in the chunk
    std::uint32_t length = 0; ///< bytes of the chunk
    std::uint8_t stripes = 0; ///< K
    std::uint8_t parity = 0;  ///< M
    std::uint8_t flags = 0;
    MediaTime media_time{};
    WallTime wall_time{}; ///< publisher's clock

    bool operator==(GroupHeader const&) const = default;

    [[nodiscard]] bool is_random_access_point() const { return flags & random_access_flag; }
    /// Set where the source knew it in time: a chunk may end with a group that does not say so.
    [[nodiscard]] bool is_last() const { return flags & last_flag; }
    [[nodiscard]] bool is_discontinuity() const { return flags & discontinuity_flag; }

    [[nodiscard]] std::size_t all_stripes() const { return std::size_t{stripes} + parity; }
    /// Bytes of every payload: a K-th of the group, rounded up. K is at least 1.
    [[nodiscard]] std::size_t payload_size() const { return (length + stripes - 1U) / stripes; }
    /// How many bytes of a stripe's payload are the chunk's; zeros follow. 0 for parity.
    [[nodiscard]] std::size_t content_size(StripeIndex stripe) const;
};

/// Bytes of one span of a chunk, as they are striped.
struct Group {
    GroupHeader header;
    Bytes bytes;
};

/// The most bytes a group of K data stripes may have: its payloads must fit messages.
std::size_t group_limit(std::uint8_t stripes);

/// Why a foreign header cannot be: a number out of its range, or a contradiction.
std::optional<Error> fault_of(GroupHeader const& header);

} // namespace minuteswarm
