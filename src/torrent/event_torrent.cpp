#include "torrent/event_torrent.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <libtorrent/entry.hpp>

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

std::uint32_t event_piece_length(std::uint64_t total) {
    auto length = limits::piece_length_min;
    while (length < limits::event_piece_length && length * limits::event_pieces < total)
        length *= 2;
    return static_cast<std::uint32_t>(length);
}

bool is_usable(EventTorrentBuilder::File const& file) {
    return file.size > 0 && !file.name.empty();
}

} // namespace

EventTorrentBuilder::EventTorrentBuilder(
    ChannelId const& channel, EventId event, std::vector<File> files
)
    : channel_(channel)
    , event_(event)
    , files_(std::move(files)) {
    for (auto const& file : files_)
        total_ += file.size;
    piece_length_ = event_piece_length(total_);
}

void EventTorrentBuilder::add(ByteView bytes) {
    added_ += bytes.size();
    // What is too much shows in finish; hashing it would only cost time.
    while (!bytes.empty() && added_ <= total_) {
        auto const room = static_cast<std::size_t>(piece_length_ - in_piece_);
        auto const part = as_text(bytes.first(std::min(room, bytes.size())));
        piece_.update({part.data(), static_cast<std::ptrdiff_t>(part.size())});
        in_piece_ += part.size();
        if (in_piece_ == piece_length_) finish_piece();
        bytes = bytes.subspan(part.size());
    }
}

Expected<InfoDict> EventTorrentBuilder::finish() {
    if (total_ == 0) return Error{"an event without chunks has no torrent"};
    if (!std::ranges::all_of(files_, is_usable))
        return Error{"an event torrent with an empty file"};
    if (added_ != total_) {
        return Error{concat("the event's chunks have ", added_, " bytes instead of ", total_)};
    }
    if (in_piece_ > 0) finish_piece();
    lt::entry dictionary{lt::entry::dictionary_t};
    auto& files = dictionary["files"].list();
    for (auto const& file : files_) {
        lt::entry entry{lt::entry::dictionary_t};
        entry["length"] = lt::entry{static_cast<std::int64_t>(file.size)};
        entry["path"].list().emplace_back("chunks");
        entry["path"].list().emplace_back(file.name);
        files.push_back(std::move(entry));
    }
    dictionary["name"] = lt::entry{event_folder_name(channel_, event_)};
    dictionary["piece length"] = lt::entry{std::int64_t{piece_length_}};
    dictionary["pieces"] = lt::entry{join_hashes(pieces_)};
    return encode_info_dict(dictionary);
}

void EventTorrentBuilder::finish_piece() {
    auto const digest = piece_.final();
    pieces_.push_back(*Sha1::from(as_bytes({digest.data(), Sha1::size})));
    piece_.reset();
    in_piece_ = 0;
}

std::string event_folder_name(ChannelId const& channel, EventId event) {
    return concat(short_hex(channel), '-', event.value);
}

} // namespace minuteswarm
