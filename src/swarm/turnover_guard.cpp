#include "swarm/turnover_guard.hpp"

#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

// It counts ninety ticks of a second, which a busy machine makes longer.
constexpr std::chrono::seconds most_until_turnover{300};
constexpr int unlimited = 0;
constexpr int fewest = 6; // that a torrent may have for one to be cut

} // namespace

TurnoverGuard::TurnoverGuard(EventLoop& loop, lt::torrent_handle torrent)
    : loop_(loop)
    , torrent_(std::move(torrent))
    , until_(MonotonicClock::now() + most_until_turnover) {}

/// libtorrent calls this once a second, and looks for connections to cut later in the same call of
/// its own. For so long the torrent has room; and as it pauses (see dial_now) nobody is dialled to
/// fill that.
void TurnoverGuard::tick() {
    if (MonotonicClock::now() >= until_ || torrent_.status({}).num_connections < fewest) return;
    auto const most = torrent_.max_connections();
    torrent_.pause();
    torrent_.set_max_connections(unlimited);
    loop_.post([torrent = torrent_, most] {
        if (!torrent.is_valid()) return;
        torrent.set_max_connections(std::max(most, torrent.status({}).num_connections));
        torrent.resume();
    });
}

} // namespace minuteswarm
