#include "base/limits.hpp"
#include "feed/feed.hpp"
#include "feed/statement_codec.hpp"
#include "fuzz/fuzz.hpp"
#include "unit/feed/vectors.hpp"

using namespace minuteswarm;

namespace {

void check_again(Frames const& frames) {
    Bytes bytes;
    for (auto const& statement : frames.statements)
        append_frame(bytes, statement);
    auto const again = read_frames(bytes, frames.statements.size());
    require(again && again->statements == frames.statements && again->consumed == bytes.size());
}

void check_feed(Frames const& frames) {
    constexpr std::size_t window = 4;
    auto const expected = vectors::record();
    Feed feed{vectors::key().channel(), expected.event, window};
    for (auto const& statement : frames.statements)
        feed.accept(statement);
    auto const* newest = feed.newest({0});
    // The corpus holds one genuine record; whatever else is accepted was forged.
    require(!newest || newest->value == expected);
    auto const hole = feed.first_hole({0}, {1});
    require(!hole || (hole->count > 0 && hole->count <= window));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    constexpr std::size_t most = limits::records_per_reply;
    auto const frames = read_frames({data, size}, most);
    if (!frames) return 0;
    require(frames->statements.size() <= most && frames->consumed <= size);
    check_again(*frames);
    check_feed(*frames);
    return 0;
}
