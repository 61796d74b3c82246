#include "archive/media_meter.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>

using namespace minuteswarm;

namespace {

std::optional<UsableMedia> measure(Container container, ByteView bytes, std::size_t cut) {
    MediaMeter meter{container};
    for (std::size_t at = 0; at < bytes.size(); at += cut)
        meter.add(bytes.subspan(at, std::min(cut, bytes.size() - at)));
    return meter.result();
}

} // namespace

// The first byte names the container and how the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    auto const container = static_cast<Container>(data[0] & 3U);
    ByteView const bytes{data + 1, size - 1};
    auto const whole = measure(container, bytes, bytes.size());
    require(!whole || (whole->size <= bytes.size() && whole->duration >= MediaTime::zero()));
    require(measure(container, bytes, 1U + (data[0] >> 2)) == whole);
    return 0;
}
