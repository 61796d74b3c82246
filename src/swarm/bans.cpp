#include "swarm/bans.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::chrono::minutes address_memory{10};
constexpr std::ptrdiff_t sessions_per_address = 3;

bool is_shared_v4(std::uint8_t a, std::uint8_t b) {
    return a == 127 || a == 10 || (a == 192 && b == 168) || (a == 172 && b >= 16 && b < 32) ||
           (a == 169 && b == 254) || (a == 100 && b >= 64 && b < 128);
}

} // namespace

bool is_shared_address(PeerAddress const& address) {
    auto const zeros = [&](std::size_t count) {
        return std::all_of(address.begin(), address.begin() + count, [](auto b) { return b == 0; });
    };
    if (zeros(10) && address[10] == 0xff && address[11] == 0xff) {
        return is_shared_v4(address[12], address[13]);
    }
    return (zeros(15) && address[15] == 1) || (address[0] & 0xfe) == 0xfc ||
           (address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
}

void Bans::add(PeerAddress const& address, SessionId const& session, MonotonicTime now) {
    if (std::any_of(offences_.begin(), offences_.end(), [&](Offence const& offence) {
            return offence.address == address && offence.session == session;
        })) {
        return;
    }
    offences_.push_back({address, session, now});
    if (offences_.size() > limits::banned_sessions) offences_.pop_front();
}

bool Bans::is_banned(PeerAddress const& address, SessionId const& session, MonotonicTime now)
    const {
    std::ptrdiff_t recent = 0;
    for (auto const& offence : offences_) {
        if (offence.address != address) continue;
        if (offence.session == session) return true;
        if (now - offence.at < address_memory) ++recent;
    }
    return recent >= sessions_per_address && !is_shared_address(address);
}

} // namespace minuteswarm
