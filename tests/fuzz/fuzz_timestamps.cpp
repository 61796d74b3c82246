#include "fuzz/fuzz.hpp"
#include "segmenter/timestamp_normaliser.hpp"

#include <array>
#include <cstring>
#include <optional>

using namespace minuteswarm;

namespace {

constexpr std::size_t step = 18; // stream and kind, then pts, dts

std::optional<std::int64_t> stamp_at(std::uint8_t const* data, bool is_there) {
    std::int64_t value = 0;
    std::memcpy(&value, data, sizeof value);
    return is_there ? std::optional{value} : std::nullopt;
}

} // namespace

/// Any timestamps of a remote encoder: decoding times grow in every stream all the same.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    TimestampNormaliser normaliser{{{{1, 90'000}, 33, 3600, 2}, {{1, 1000}, 64, 0, 0}}, 0};
    std::array<std::optional<Ticks>, 2> last;
    for (std::size_t at = 0; at + step <= size; at += step) {
        auto const kind = data[at];
        auto const stream = std::size_t{data[at + 1]} % 2;
        if ((kind & 8U) != 0) normaliser.reanchor();
        TimestampNormaliser::Stamp stamp;
        stamp.pts = stamp_at(data + at + 2, (kind & 1U) != 0);
        stamp.dts = stamp_at(data + at + 10, (kind & 2U) != 0);
        stamp.duration = (kind & 4U) != 0 ? kind : 0;
        auto const out = normaliser.normalise(stream, stamp);
        require(!last[stream] || out.dts > *last[stream]);
        last[stream] = out.dts;
    }
    return 0;
}
