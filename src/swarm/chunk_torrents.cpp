#include "swarm/chunk_torrents.hpp"

#include "base/limits.hpp"
#include "swarm/libtorrent_access.hpp"
#include "torrent/info_dict.hpp"

#include <libtorrent/announce_entry.hpp>
#include <libtorrent/extensions/ut_metadata.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>

#include <algorithm>
#include <cassert>

namespace minuteswarm {
namespace {

constexpr std::chrono::seconds idle_limit{60};

// libtorrent wants a folder's name; the store decides where bytes go.
constexpr char save_path[] = "minuteswarm";

std::shared_ptr<lt::torrent_info> parse_info(Bytes const& info_dict) {
    Bytes file = to_bytes("d4:info");
    append(file, info_dict);
    file.push_back('e');
    lt::error_code error;
    auto info = std::make_shared<lt::torrent_info>(
        lt::span<char const>{
            reinterpret_cast<char const*>(file.data()), static_cast<std::ptrdiff_t>(file.size())},
        error,
        lt::from_span
    );
    return error ? nullptr : info;
}

/// Of a torrent that is not wanted nothing is: to libtorrent it has finished, and it dials nobody,
/// but serves what it has.
std::vector<lt::download_priority_t> piece_priorities(Record const& record, bool wanted) {
    auto const priority = wanted ? lt::default_priority : lt::dont_download;
    return std::vector(piece_count(record.size), priority);
}

constexpr lt::torrent_flags_t private_flags =
    lt::torrent_flags::paused | lt::torrent_flags::no_verify_files |
    lt::torrent_flags::disable_dht | lt::torrent_flags::disable_lsd |
    lt::torrent_flags::disable_pex;

} // namespace

ChunkTorrents::ChunkTorrents(
    EventLoop& loop,
    lt::session_handle session,
    Store& store,
    StoreDisk::Layouts& layouts,
    Events events
)
    : loop_(loop)
    , session_(std::move(session))
    , store_(store)
    , layouts_(layouts)
    , events_(std::move(events)) {}

void ChunkTorrents::watch(lt::add_torrent_params& params) {
    params.extensions.emplace_back(&lt::create_ut_metadata_plugin);
    ChunkTorrentReceiver& receiver = *this;
    params.extensions.emplace_back(
        [this, &receiver](
            lt::torrent_handle const& torrent, lt::client_data_t
        ) -> std::shared_ptr<lt::torrent_plugin> {
            auto plugin = std::make_shared<ChunkPlugin>(torrent, receiver);
            plugins_.push_back(plugin);
            return plugin;
        }
    );
}

void ChunkTorrents::wake_idle(MonotonicTime now) {
    std::erase_if(plugins_, [](auto const& plugin) { return plugin.expired(); });
    for (auto const& plugin : plugins_) {
        if (auto const alive = plugin.lock()) alive->wake_idle(now);
    }
}

std::optional<lt::add_torrent_params>
ChunkTorrents::make_params(ChunkKey const& key, Record const& record, bool wanted) {
    auto const info = make_info_dict(key.channel, record);
    lt::add_torrent_params params;
    params.ti = parse_info(info.bytes);
    if (!params.ti) return std::nullopt;
    params.save_path = save_path;
    params.flags = private_flags;
    params.upload_limit = upload_limit_;
    auto const& verified = store_.verified(key);
    auto const length = piece_length(record.size);
    auto const count = piece_count(record.size);
    params.have_pieces.resize(static_cast<int>(count), false);
    for (std::uint64_t piece = 0; piece < count; ++piece) {
        auto const begin = piece * length;
        if (verified.contains(begin, std::min(begin + length, record.size))) {
            params.have_pieces.set_bit(lt::piece_index_t{static_cast<int>(piece)});
        }
    }
    if (!wanted && !store_.is_complete(key))
        params.piece_priorities = piece_priorities(record, false);
    watch(params);
    layouts_[info.hash] = {key};
    return params;
}

ChunkTorrents::Active&
ChunkTorrents::note_active(ChunkKey const& key, Record const& record, lt::torrent_handle torrent) {
    auto& active = active_[key];
    active.record = record;
    active.hash = from_sha1(torrent.info_hashes().v1);
    active.torrent = std::move(torrent);
    active.last_used = MonotonicClock::now();
    return active;
}

void ChunkTorrents::add(
    ChunkKey const& key, Record const& record, std::vector<PeerEndpoint> const& peers, bool wanted
) {
    assert(loop_.is_current());
    auto const hash = hold(key, record);
    if (!active_.contains(key)) {
        // A peer may have asked for it a moment ago, see on_unknown.
        auto const there = session_.find_torrent(to_sha1(hash));
        if (there.is_valid()) note_active(key, record, there);
    }
    if (auto const found = active_.find(key); found != active_.end()) {
        set_wanted(found->second, wanted);
        if (wanted) add_peers(key, peers);
        return;
    }
    auto params = make_params(key, record, wanted);
    if (!params) return;
    for (auto const& peer : peers)
        params->peers.push_back(to_endpoint(peer));
    lt::error_code error;
    auto torrent = session_.add_torrent(std::move(*params), error);
    if (error) return;
    auto& active = note_active(key, record, torrent);
    active.is_wanted = wanted;
    active.wanted_at = active.last_used;
    active.named_peers = peers.size();
    // Peers of a torrent that is added running are dialled at the next one-second tick; resuming
    // dials at once.
    torrent.resume();
    keep_bounded();
}

void ChunkTorrents::announce(ChunkKey const& key, Announce const& announce) {
    auto const found = active_.find(key);
    if (found == active_.end() || !announce.is_public()) return;
    auto& torrent = found->second.torrent;
    if (announce.dht) torrent.unset_flags(lt::torrent_flags::disable_dht);
    for (auto const& url : announce.trackers)
        torrent.add_tracker(lt::announce_entry{url});
    for (auto const& url : announce.web_seeds)
        torrent.add_url_seed(url);
    if (announce.dht) torrent.force_dht_announce();
    found->second.is_pinned = true;
}

void ChunkTorrents::ask_tracker(ChunkKey const& key, std::string const& url) {
    auto const found = active_.find(key);
    if (found != active_.end()) found->second.torrent.add_tracker(lt::announce_entry{url});
}

InfoHash ChunkTorrents::hold(ChunkKey const& key, Record const& record) {
    auto const hash = make_info_dict(key.channel, record).hash;
    held_.insert_or_assign(hash, key);
    recent_.insert_or_assign(key, record);
    if (recent_.size() > limits::feed_window) recent_.erase(recent_.begin());
    return hash;
}

void ChunkTorrents::add_peers(ChunkKey const& key, std::vector<PeerEndpoint> const& peers) {
    auto const found = active_.find(key);
    if (found == active_.end() || peers.empty()) return;
    auto& torrent = found->second.torrent;
    found->second.named_peers += peers.size();
    for (auto const& peer : peers)
        torrent.connect_peer(to_endpoint(peer));
    dial_now(torrent);
}

void ChunkTorrents::remove(ChunkKey const& key) {
    if (auto const found = active_.find(key); found != active_.end()) drop(found);
    recent_.erase(key);
    std::erase_if(held_, [&](auto const& entry) { return entry.second == key; });
}

void ChunkTorrents::add_event(
    InfoHash const& hash,
    Bytes const& info_dict,
    std::vector<ChunkKey> chunks,
    Announce const& announce
) {
    if (event_torrents_.contains(hash)) return;
    lt::add_torrent_params params;
    params.ti = parse_info(info_dict);
    if (!params.ti || params.ti->num_files() != static_cast<int>(chunks.size())) return;
    params.save_path = save_path;
    params.flags = lt::torrent_flags::no_verify_files | lt::torrent_flags::disable_lsd;
    if (!announce.dht) params.flags |= lt::torrent_flags::disable_dht;
    params.have_pieces.resize(params.ti->num_pieces(), true);
    params.trackers = announce.trackers;
    params.url_seeds = announce.web_seeds;
    params.upload_limit = upload_limit_;
    watch(params);
    layouts_[hash] = std::move(chunks);
    lt::error_code error;
    auto torrent = session_.add_torrent(std::move(params), error);
    if (!error) event_torrents_.emplace(hash, std::move(torrent));
}

void ChunkTorrents::set_wanted(Active& active, bool wanted) {
    if (std::exchange(active.is_wanted, wanted) == wanted) return;
    if (wanted) active.wanted_at = MonotonicClock::now();
    active.torrent.prioritize_pieces(piece_priorities(active.record, wanted));
}

void ChunkTorrents::stop_before(ChunkKey const& key) {
    auto const first = active_.lower_bound({key.channel, key.event, key.rendition, {}});
    for (auto active = first; active != active_.end() && active->first < key; ++active)
        set_wanted(active->second, false);
}

std::vector<ChunkKey> ChunkTorrents::wanted() const {
    std::vector<ChunkKey> keys;
    for (auto const& [key, active] : active_) {
        if (active.is_wanted) keys.push_back(key);
    }
    return keys;
}

bool ChunkTorrents::is_wanted(ChunkKey const& key) const {
    auto const found = active_.find(key);
    return found != active_.end() && found->second.is_wanted;
}

std::size_t ChunkTorrents::named_peers(ChunkKey const& key) const {
    auto const found = active_.find(key);
    return found == active_.end() ? 0 : found->second.named_peers;
}

std::vector<ChunkTorrents::Stuck> ChunkTorrents::stuck() {
    std::vector<Stuck> found;
    for (auto& [key, active] : active_) {
        if (!active.is_wanted) continue;
        auto const has_moved = active.payload != active.payload_before;
        active.calls_without_payload = has_moved ? 0 : active.calls_without_payload + 1;
        if (!has_moved) found.push_back({key, active.calls_without_payload});
        active.payload_before = active.payload;
    }
    return found;
}

bool ChunkTorrents::on_unknown(InfoHash const& hash, lt::add_torrent_params& params) {
    auto const held = held_.find(hash);
    if (held == held_.end()) return false;
    auto const key = held->second;
    if (active_.contains(key)) return false;
    if (auto const known = recent_.find(key); known != recent_.end()) {
        auto made = make_params(key, known->second, false);
        if (!made) return false;
        params = std::move(*made);
        params.flags &= ~lt::torrent_flags_t{lt::torrent_flags::paused};
        loop_.post([this, key, record = known->second, hash] {
            auto torrent = session_.find_torrent(to_sha1(hash));
            if (torrent.is_valid()) note_active(key, record, torrent);
            keep_bounded();
        });
        return true;
    }
    if (events_.load_record) { // the peer will come again
        events_.load_record(key, [this, key](std::optional<Record> record) {
            if (record && store_.has(key)) add(key, *record, {}, false);
        });
    }
    return false;
}

ChunkTorrents::Active* ChunkTorrents::find(lt::torrent_handle const& torrent, ChunkKey& key) {
    auto const layout = layouts_.find(from_sha1(torrent.info_hashes().v1));
    if (layout == layouts_.end() || layout->second.empty()) return nullptr;
    key = layout->second.front();
    auto const found = active_.find(key);
    return found == active_.end() || found->second.torrent != torrent ? nullptr : &found->second;
}

lt::tcp::endpoint ChunkTorrents::own_endpoint() const {
    return minuteswarm::own_endpoint(session_);
}

void ChunkTorrents::on_piece(lt::torrent_handle const& torrent, lt::piece_index_t piece) {
    ChunkKey key;
    auto* const active = find(torrent, key);
    if (!active) return;
    auto const length = piece_length(active->record.size);
    auto const begin = static_cast<std::uint64_t>(static_cast<int>(piece)) * length;
    store_.mark_verified(key, begin, begin + length);
    if (events_.on_progress) events_.on_progress(key);
    if (!store_.is_complete(key)) return;
    active->is_wanted = false;
    if (events_.on_complete) events_.on_complete(key);
}

void ChunkTorrents::on_payload(
    lt::torrent_handle const& torrent, PeerEndpoint const& peer, int down, int up
) {
    if (events_.on_payload) events_.on_payload(peer, down, up);
    ChunkKey key;
    auto* const active = find(torrent, key);
    if (!active) return;
    active->last_used = MonotonicClock::now();
    active->payload += static_cast<std::uint64_t>(down);
    active->sent += static_cast<std::uint64_t>(up);
    if (down > 0 && active->is_wanted && !active->is_formed) {
        active->is_formed = true;
        if (events_.on_formed) {
            events_.on_formed(
                std::chrono::duration_cast<MediaTime>(active->last_used - active->wanted_at)
            );
        }
    }
}

bool ChunkTorrents::is_busy() const {
    return !event_torrents_.empty() || std::ranges::any_of(active_, [](auto const& entry) {
        return entry.second.is_wanted || entry.second.sent != entry.second.sent_before;
    });
}

void ChunkTorrents::limit_upload(std::uint64_t bytes_per_second) {
    std::uint64_t senders = 1 + event_torrents_.size(); // and one that begins now
    for (auto const& [key, active] : active_)
        senders += active.sent != active.sent_before ? 1U : 0U;
    auto const share = std::min<std::uint64_t>(bytes_per_second / senders, INT32_MAX);
    // In steps: not every change is worth telling.
    auto const limit =
        bytes_per_second == 0 ? 0 : std::max(1, static_cast<int>(share / 1024) * 1024);
    auto const has_changed = std::exchange(upload_limit_, limit) != limit;
    for (auto& [key, active] : active_) {
        active.sent_before = active.sent;
        if (has_changed) active.torrent.set_upload_limit(limit);
    }
    if (!has_changed) return;
    for (auto const& [hash, torrent] : event_torrents_)
        torrent.set_upload_limit(limit);
}

void ChunkTorrents::on_corrupt(lt::torrent_handle const& torrent, PeerEndpoint const& peer) {
    ChunkKey key;
    if (!find(torrent, key) || !events_.on_corrupt) return;
    loop_.post([this, key, peer] { events_.on_corrupt(key, peer); }
    ); // not inside libtorrent's call
}

std::map<ChunkKey, ChunkTorrents::Active>::iterator
ChunkTorrents::drop(std::map<ChunkKey, Active>::iterator active) {
    session_.remove_torrent(active->second.torrent);
    layouts_.erase(active->second.hash);
    return active_.erase(active);
}

void ChunkTorrents::keep_bounded() {
    while (active_.size() > limits::active_chunk_torrents) {
        // One that nobody here waits for, and of these the one last used longest ago: not the old
        // one that a peer has just asked for.
        drop(std::ranges::min_element(active_, {}, [](auto const& entry) {
            return std::pair{entry.second.is_wanted, entry.second.last_used};
        }));
    }
}

void ChunkTorrents::tick(MonotonicTime now) {
    // Of one that lacks something libtorrent dials every peer again each second, in vain.
    constexpr std::chrono::seconds passed_limit{3};
    constexpr std::size_t always_kept = 30; // the newest: late joiners ask for these
    auto left = active_.size();
    for (auto active = active_.begin(); active != active_.end(); --left) {
        auto const& state = active->second;
        auto const idle = now - state.last_used;
        auto const is_idle = (left > always_kept && idle > idle_limit) ||
                             (idle > passed_limit && !store_.is_complete(active->first));
        auto const may_go = !state.is_wanted && !state.is_pinned;
        active = is_idle && may_go ? drop(active) : std::next(active);
    }
}

} // namespace minuteswarm
