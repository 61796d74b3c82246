#include "archive/torrent_files.hpp"

#include "archive/file.hpp"
#include "torrent/info_dict.hpp"

namespace minuteswarm {

Expected<std::size_t> write_chunk_torrents(
    EventFolder const& folder,
    RecordFile const& records,
    std::filesystem::path const& to,
    std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds
) {
    if (auto const made = make_folders(to); !made) return made.error();
    std::size_t written = 0;
    for (auto const rendition : records.renditions()) {
        for (auto const number : records.numbers(rendition)) {
            auto const record = records.read(rendition, number);
            if (!record) return record.error();
            auto const info = make_info_dict(folder.channel(), record->value);
            auto const name = chunk_name(folder.channel(), record->value) + ".torrent";
            auto const done = write_file(to / name, make_torrent_file(info, trackers, web_seeds));
            if (!done) return done.error();
            ++written;
        }
    }
    return written;
}

} // namespace minuteswarm
