#include "edge_follower.hpp"

#include "torrent/info_dict.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::size_t most_coming = 16;
constexpr std::chrono::seconds patience{1}; // for the last blocks of a chunk after its record

SharedBytes content_of(EdgeBytes const& bytes) {
    if (bytes.size == bytes.payload->size()) return bytes.payload;
    auto const view = bytes.view();
    return std::make_shared<Bytes const>(view.begin(), view.end());
}

} // namespace

EdgeFollower::EdgeFollower(
    Store& store, Playback& playback, ChannelSwarm& swarm, Options options, Events events
)
    : store_(store)
    , playback_(playback)
    , swarm_(swarm)
    , options_(std::move(options))
    , events_(std::move(events)) {}

ChunkKey EdgeFollower::key_of(ChunkNumber number) const {
    return {options_.channel, options_.event, options_.rendition, number};
}

void EdgeFollower::on_descriptor(Descriptor const& descriptor) {
    container_ = descriptor.container;
    auto const& edge = descriptor.edge;
    if (edge.span_ms == 0 || run_ == edge.run) return;
    run_ = edge.run;
    swarm_.begin_edge(
        {options_.event,
         options_.rendition,
         edge,
         descriptor.bitrate,
         options_.uplink,
         [this](GroupHeader const& header, std::vector<EdgeBytes> const& bytes) {
             on_bytes(header, bytes);
         }}
    );
    playback_.set_edge(true);
}

void EdgeFollower::open(GroupHeader const& header) {
    Record name;
    name.event = options_.event;
    name.rendition = options_.rendition;
    name.number = header.chunk;
    name.container = container_;
    store_.add(
        key_of(header.chunk), options_.folder / chunk_name(options_.channel, name), std::nullopt
    );
    coming_[header.chunk].from_start = header.offset.value == 0;
    if (coming_.size() > most_coming) coming_.erase(coming_.begin());
}

void EdgeFollower::on_bytes(GroupHeader const& header, std::vector<EdgeBytes> const& bytes) {
    auto const playhead = playback_.timeline().playhead();
    if (playhead && header.chunk < playhead->chunk) return;
    has_bytes_ = true;
    if (!coming_.contains(header.chunk)) open(header);
    playback_.mark(
        {{header.chunk, header.offset.value},
         header.media_time,
         header.wall_time,
         header.is_random_access_point(),
         header.is_discontinuity()}
    );
    auto const key = key_of(header.chunk);
    for (auto const& some : bytes) {
        auto const begin = some.offset.value;
        store_.write(key, begin, content_of(some), {});
        store_.mark_verified(key, begin, begin + some.size);
    }
    if (header.is_last()) playback_.set_size(header.chunk, header.offset.value + header.length);
    playback_.refresh(header.chunk);
    events_.on_bytes(header.chunk);
}

bool EdgeFollower::is_expected(ChunkNumber number, MonotonicTime now) const {
    auto const* edge = swarm_.edge();
    auto const found = coming_.find(number);
    if (!edge || !edge->is_fed() || found == coming_.end() || !found->second.from_start)
        return false;
    auto const& recorded = found->second.recorded_at;
    return !recorded || now - *recorded < patience;
}

bool EdgeFollower::on_record(Record const& record) {
    auto const found = coming_.find(record.number);
    if (found == coming_.end()) return false;
    found->second.recorded_at = MonotonicClock::now();
    store_.set_size(key_of(record.number), record.size);
    check(record);
    return true;
}

/// The pieces that are whole; the signatures of the groups vouch for their bytes, and the record
/// for both.
void EdgeFollower::check(Record const& record) {
    auto const key = key_of(record.number);
    auto const length = piece_length(record.size);
    std::vector<std::uint64_t> begins;
    for (std::uint64_t begin = 0; begin < record.size; begin += length) {
        auto const end = std::min(begin + length, record.size);
        if (store_.verified(key).contains(begin, end)) begins.push_back(begin);
    }
    if (begins.empty()) return events_.on_checked(record);
    unchecked_[record.number] = begins.size();
    for (auto const begin : begins)
        check_piece(record, begin);
}

void EdgeFollower::check_piece(Record const& record, std::uint64_t begin) {
    auto const key = key_of(record.number);
    auto const length = piece_length(record.size);
    auto const end = std::min(begin + length, record.size);
    store_.read(
        key,
        begin,
        static_cast<std::size_t>(end - begin),
        [this, alive = std::weak_ptr{alive_}, record, key, begin, end, length](
            auto error, SharedBytes bytes
        ) {
            if (alive.expired()) return;
            if (error || sha1(*bytes) != record.pieces[begin / length]) {
                store_.unverify(key, begin, end);
                playback_.refresh(record.number);
            }
            auto const left = unchecked_.find(record.number);
            if (left == unchecked_.end() || --left->second > 0) return;
            unchecked_.erase(left);
            events_.on_checked(record);
        }
    );
}

} // namespace minuteswarm
