#include "edge_follower.hpp"

#include "torrent/info_dict.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::size_t most_coming = 32;
constexpr std::chrono::milliseconds start_patience{2000}; // for bytes from before this node came
// For the last blocks of a chunk after its record, which goes ahead of them.
constexpr std::chrono::milliseconds patience{1000};
constexpr int patience_spans = 4; // where these are more: each hop takes one
constexpr int due_share = 3;      // of the latency, that fetching takes
constexpr std::chrono::nanoseconds check_time_per_byte{125}; // far less than any stream's

SharedBytes content_of(EdgeBytes const& bytes) {
    if (bytes.size == bytes.payload->size()) return bytes.payload;
    auto const view = bytes.view();
    return std::make_shared<Bytes const>(view.begin(), view.end());
}

} // namespace

EdgeFollower::EdgeFollower(
    EventLoop& loop,
    Store& store,
    DiskStrand& disk,
    Playback& playback,
    ChannelSwarm& swarm,
    Options options,
    Events events
)
    : store_(store)
    , disk_(disk)
    , playback_(playback)
    , swarm_(swarm)
    , options_(std::move(options))
    , events_(std::move(events))
    , check_timer_(loop) {}

ChunkKey EdgeFollower::key_of(ChunkNumber number) const {
    return {options_.channel, options_.event, options_.rendition, number};
}

void EdgeFollower::on_descriptor(Descriptor const& descriptor) {
    container_ = descriptor.container;
    auto const& edge = descriptor.edge;
    if (edge.span_ms == 0 || run_ == edge.run) return;
    run_ = edge.run;
    joined_at_ = MonotonicClock::now();
    patience_ = std::max(patience, patience_spans * std::chrono::milliseconds{edge.span_ms});
    playback_.set_edge(true); // the latency follows from that
    playback_.set_fed(false);
    swarm_.begin_edge(
        {options_.event,
         options_.rendition,
         edge,
         descriptor.bitrate,
         options_.uplink,
         playback_.timeline().effective_latency(),
         [this](GroupHeader const& header, std::vector<EdgeBytes> const& bytes) {
             on_bytes(header, bytes);
         }}
    );
}

void EdgeFollower::update(MonotonicTime now) {
    auto const* edge = swarm_.edge();
    if (!run_ || !edge) return;
    auto const is_served = !edge->policy().is_stepped_back() && (has_bytes() || is_waiting(now));
    playback_.set_edge(is_served);
    playback_.set_fed(edge->is_fed());
}

EdgeFollower::Coming& EdgeFollower::open(GroupHeader const& header) {
    Record name;
    name.event = options_.event;
    name.rendition = options_.rendition;
    name.number = header.chunk;
    name.container = container_;
    store_.add(
        key_of(header.chunk), options_.folder / chunk_name(options_.channel, name), std::nullopt
    );
    auto& coming = coming_[header.chunk];
    coming.from_start = header.offset.value == 0;
    if (auto const* record = events_.find_record(header.chunk)) adopt(coming, *record);
    return coming;
}

void EdgeFollower::on_bytes(GroupHeader const& header, std::vector<EdgeBytes> const& bytes) {
    auto const playhead = playback_.timeline().playhead();
    if (playhead && header.chunk < playhead->chunk) return;
    auto const found = coming_.find(header.chunk);
    if (found == coming_.end() && coming_.size() >= most_coming) {
        auto const oldest = coming_.begin();
        if (!playhead || oldest->first >= playhead->chunk) return; // this one is far ahead
        coming_.erase(oldest);
    }
    if (!first_bytes_at_) first_bytes_at_ = MonotonicClock::now();
    auto& coming = found == coming_.end() ? open(header) : found->second;
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
    if (coming.record) check(coming);
    if (auto const* edge = swarm_.edge()) playback_.set_fed(edge->is_fed());
    events_.on_bytes(header.chunk);
}

bool EdgeFollower::starts_near() const {
    auto const* edge = swarm_.edge();
    return edge && edge->policy().starts_near();
}

bool EdgeFollower::is_waiting(MonotonicTime now) const {
    return run_ && !has_bytes() && now - joined_at_ < start_patience;
}

bool EdgeFollower::is_expected(ChunkNumber number, MonotonicTime now) const {
    auto const* edge = swarm_.edge();
    auto const found = coming_.find(number);
    if (!edge || !edge->is_fed() || found == coming_.end()) return false;
    if (is_due(number, now)) return false;
    if (!found->second.from_start) return now - joined_at_ < start_patience;
    return !found->second.record || now - found->second.recorded_at < patience_;
}

/// The first byte that is missing must be here soon to be played.
bool EdgeFollower::is_due(ChunkNumber number, MonotonicTime now) const {
    auto const& timeline = playback_.timeline();
    auto const playhead = timeline.playhead();
    auto const from = playhead && playhead->chunk == number ? playhead->offset : 0;
    auto const missing = store_.verified(key_of(number)).contiguous_end(from);
    auto const due = timeline.deadline(number, missing);
    return due && *due - now < timeline.effective_latency() / due_share;
}

bool EdgeFollower::on_record(Record const& record) {
    auto const found = coming_.find(record.number);
    if (found == coming_.end()) return false;
    adopt(found->second, record);
    check(found->second);
    if (found->second.checked == 0) events_.on_checked(record);
    return true;
}

void EdgeFollower::adopt(Coming& coming, Record const& record) {
    coming.record = record;
    coming.recorded_at = MonotonicClock::now();
    store_.set_size(key_of(record.number), record.size);
}

/// The pieces that have become whole; the signatures of the groups vouch for their bytes, and the
/// record for both.
void EdgeFollower::check(Coming& coming) {
    auto const& record = *coming.record;
    auto const present = store_.verified(key_of(record.number));
    auto const length = piece_length(record.size);
    for (std::size_t piece = 0; piece < record.pieces.size(); ++piece) {
        auto const bit = std::uint64_t{1} << piece; // at most 64, see piece_length
        auto const begin = piece * length;
        auto const end = std::min(begin + length, record.size);
        if ((coming.checked & bit) != 0 || !present.contains(begin, end)) continue;
        coming.checked |= bit;
        ++coming.under_way;
        unchecked_.emplace_back(record.number, piece);
    }
    if (!is_checking_) check_next();
}

/// One after the other, with a pause after each: all of a long chunk at once would hold up the
/// blocks that come meanwhile, here and at whoever shares the processor.
void EdgeFollower::check_next() {
    is_checking_ = false;
    while (!unchecked_.empty() && !is_checking_) {
        auto const [number, piece] = unchecked_.front();
        unchecked_.pop_front();
        auto const found = coming_.find(number);
        auto const is_asked = found != coming_.end() && (found->second.checked >> piece & 1U) != 0;
        if (!is_asked) continue; // the chunk has gone since, or come again
        is_checking_ = true;
        check_piece(*found->second.record, piece);
    }
}

void EdgeFollower::check_piece(Record const& record, std::size_t piece) {
    auto const key = key_of(record.number);
    auto const begin = piece * piece_length(record.size);
    auto const end = std::min(begin + piece_length(record.size), record.size);
    store_.read(
        key,
        begin,
        static_cast<std::size_t>(end - begin),
        [this, alive = std::weak_ptr{alive_}, key, begin, end, hash = record.pieces[piece]](
            auto error, SharedBytes bytes
        ) {
            if (alive.expired()) return;
            disk_.run(
                0,
                [bytes = error ? nullptr : bytes, hash] { return bytes && sha1(*bytes) == hash; },
                [this, alive, key, begin, end](bool is_right) {
                    if (alive.expired()) return;
                    if (!is_right) {
                        store_.unverify(key, begin, end);
                        playback_.refresh(key.number);
                    }
                    check_timer_.start_after((end - begin) * check_time_per_byte, [this] {
                        check_next();
                    });
                    on_piece(key.number);
                }
            );
        }
    );
}

void EdgeFollower::on_piece(ChunkNumber number) {
    auto const found = coming_.find(number);
    if (found == coming_.end() || --found->second.under_way > 0) return;
    auto const record = *found->second.record;
    events_.on_checked(record);
}

} // namespace minuteswarm
