#include "swarm/turnover_guard.hpp"

#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

constexpr int turnover_tick = 90; // of a second each
constexpr int margin = 1;
constexpr int unlimited = 0;
constexpr int fewest = 6; // that a torrent may have for one to be cut

} // namespace

TurnoverGuard::TurnoverGuard(
    EventLoop& loop, std::function<std::vector<lt::torrent_handle>()> torrents
)
    : loop_(loop)
    , torrents_(std::move(torrents)) {}

/// libtorrent calls this once a second, and counts down to its turn later in the same call of its
/// own. For so long the torrents have room; and as they pause (see dial_now) nobody is dialled to
/// fill that.
void TurnoverGuard::on_tick() {
    ++ticks_;
    if (ticks_ < turnover_tick - margin || ticks_ > turnover_tick + margin) return;
    std::vector<std::pair<lt::torrent_handle, int>> held;
    for (auto const& torrent : torrents_()) {
        if (!torrent.is_valid() || torrent.status({}).num_connections < fewest) continue;
        held.emplace_back(torrent, torrent.max_connections());
        torrent.pause();
        torrent.set_max_connections(unlimited);
    }
    if (held.empty()) return;
    loop_.post([held = std::move(held), torrents = torrents_] {
        if (torrents().empty()) return; // they have been told to stop meanwhile
        for (auto const& [torrent, most] : held) {
            if (!torrent.is_valid()) continue;
            torrent.set_max_connections(std::max(most, torrent.status({}).num_connections));
            torrent.resume();
        }
    });
}

} // namespace minuteswarm
