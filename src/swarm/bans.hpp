#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "swarm/messages.hpp"

#include <array>
#include <cstdint>
#include <deque>

namespace minuteswarm {

using PeerAddress = std::array<std::uint8_t, 16>;

/// Loopback, private, link-local and shared addresses, behind which many nodes may live.
bool is_shared_address(PeerAddress const& address);

/// Who has offended: (address, session id), and a whole public address once three of its session
/// ids offended within ten minutes. Pure; remembers the newest limits::banned_sessions.
class Bans {
public:
    void add(PeerAddress const& address, SessionId const& session, MonotonicTime now);
    [[nodiscard]] bool
    is_banned(PeerAddress const& address, SessionId const& session, MonotonicTime now) const;
    [[nodiscard]] std::size_t count() const { return offences_.size(); }

private:
    struct Offence {
        PeerAddress address;
        SessionId session;
        MonotonicTime at;
    };
    std::deque<Offence> offences_;
};

} // namespace minuteswarm
