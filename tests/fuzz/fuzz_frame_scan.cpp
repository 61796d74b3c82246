#include "archive/frame_scan.hpp"
#include "feed/statement_codec.hpp"
#include "fuzz/fuzz.hpp"
#include "support/temp_folder.hpp"
#include "unit/feed/vectors.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static test::TempFolder const folder;
    static auto file = File::open_or_create(folder / "feed");
    require(file && file->truncate(0) && file->write_at(0, {data, size}));
    std::uint64_t end = 0; // of the statement before
    auto const scan =
        scan_frames(*file, 0, [&](Statement const& statement, FramePlace const& place) {
            auto const genuine =
                is_genuine(statement.kind, statement.wire, vectors::key().channel());
            if (!genuine) return false;
            require(place.offset >= end && place.offset + place.size <= size);
            end = place.offset + place.size;
            return true;
        });
    require(scan.has_value());
    require(scan->end >= end && scan->end + scan->torn == size && scan->damaged <= scan->end);
    return 0;
}
