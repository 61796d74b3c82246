#include "fuzz/fuzz.hpp"
#include "playout/ts_joiner.hpp"

#include <algorithm>

using namespace minuteswarm;

// The first byte says how the rest is cut and after which slice the discontinuities come.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::size_t const cut = 1U + (data[0] & 0x3fU) * 8U;
    std::size_t const discontinuity = 2U + (data[0] >> 6);
    ByteView const bytes{data + 1, size - 1};
    TsJoiner transparent;
    TsJoiner joiner;
    Bytes same;
    std::size_t joined = 0;
    for (std::size_t at = 0, slice = 1; at < bytes.size(); at += cut, ++slice) {
        auto const part = bytes.subspan(at, std::min(cut, bytes.size() - at));
        append(same, transparent.join(part, false));
        joined += joiner.join(part, slice % discontinuity == 0).size();
        require(joined <= at + part.size());
    }
    require(bytes.size() - same.size() < TsJoiner::packet_size);
    append(same, transparent.finish());
    require(std::equal(same.begin(), same.end(), bytes.begin(), bytes.end()));
    require(joiner.finish().size() < TsJoiner::packet_size);
    return 0;
}
