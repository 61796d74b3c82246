#pragma once

#include "base/event_loop.hpp"
#include "base/time.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <memory>

namespace minuteswarm {

/// Keeps libtorrent from exchanging a channel's peers. 90 seconds after a session's start, and at
/// each `peer_turnover_interval` after that, it cuts one connection, if not more, of every torrent
/// that has as many as it may and knows somebody to dial; no setting turns that off,
/// `peer_turnover` 0 neither, and `can_disconnect` isn't asked (`session_impl::on_tick`, 2.0
/// and 2.1). Here that would be a parent or a child. The interval is set to for ever; this sees to
/// the first time.
class TurnoverGuard final : public lt::torrent_plugin {
public:
    TurnoverGuard(EventLoop& loop, lt::torrent_handle torrent);

private:
    void tick() override;

    EventLoop& loop_;
    lt::torrent_handle torrent_;
    MonotonicTime until_;
};

} // namespace minuteswarm
