#include "fuzz/fuzz.hpp"
#include "playout/ts_frames.hpp"

#include <algorithm>

using namespace minuteswarm;

// The first byte says how the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    ByteView const bytes{data + 1, size - 1};
    TsFrames whole;
    auto const expected = whole.feed(bytes);
    TsFrames reader;
    std::size_t count = 0;
    TsFrame last;
    for (std::size_t at = 0; at < bytes.size(); at += 1U + data[0]) {
        for (auto const& frame :
             reader.feed(bytes.subspan(at, std::min<std::size_t>(1U + data[0], bytes.size() - at))
             )) {
            require(count < expected.size() && frame.offset == expected[count].offset);
            require(count == 0 || frame.offset > last.offset);
            require(frame.offset < bytes.size() && frame.time >= last.time);
            last = frame;
            ++count;
        }
    }
    require(count == expected.size());
    return 0;
}
