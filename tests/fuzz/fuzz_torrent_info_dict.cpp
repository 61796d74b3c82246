#include "archive/event_torrent_file.hpp"
#include "fuzz/fuzz.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const info = torrent_info_dict({data, size});
    if (!info) return 0;
    require(!info->empty() && info->data() > data && info->data() + info->size() < data + size);
    // Alone in a torrent file it is found again, whole.
    auto around = to_bytes("d4:info");
    append(around, *info);
    around.push_back('e');
    auto const again = torrent_info_dict(around);
    require(again && as_text(*again) == as_text(*info));
    return 0;
}
