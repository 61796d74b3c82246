#pragma once

#include "base/event_loop.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <functional>
#include <vector>

namespace minuteswarm {

/// Keeps libtorrent from exchanging a channel's peers. In the ninetieth second of a session, and at
/// each `peer_turnover_interval` after that, it cuts one connection, if not more, of every torrent
/// that has as many as it may and knows somebody to dial; no setting turns that off,
/// `peer_turnover` 0 neither, and `can_disconnect` isn't asked (`session_impl::on_tick`, 2.0
/// and 2.1). Here that would be a parent or a child. The interval is set to for ever; this sees to
/// the first time.
class TurnoverGuard final : public lt::plugin {
public:
    /// `torrents`: those to be left alone; none when they have ended. To be added to a session
    /// before that has run.
    TurnoverGuard(EventLoop& loop, std::function<std::vector<lt::torrent_handle>()> torrents);

private:
    lt::feature_flags_t implemented_features() override { return tick_feature; }
    void on_tick() override;

    EventLoop& loop_;
    std::function<std::vector<lt::torrent_handle>()> torrents_;
    int ticks_ = 0;
};

} // namespace minuteswarm
