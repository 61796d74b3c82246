#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace minuteswarm {

/// Bytes [offset, offset + length) of a body.
struct ByteSpan {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    bool operator==(ByteSpan const&) const = default;
};

struct WholeBody {
    bool operator==(WholeBody const&) const = default;
};
struct UnsatisfiableRange {
    bool operator==(UnsatisfiableRange const&) const = default;
};
using RangeAnswer = std::variant<WholeBody, ByteSpan, UnsatisfiableRange>;

/// What a `Range` field asks of a body of `size` bytes (RFC 7233 2.1). A field that is malformed,
/// in another unit or of several ranges is ignored, as RFC 7233 3.1 allows.
RangeAnswer answer_range(std::string_view field, std::uint64_t size);

} // namespace minuteswarm
