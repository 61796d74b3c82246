#include "swarm/named_endpoints.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::uint16_t first_user_port = 1024; // RFC 6335 6: those below are the system's

bool begins_with_zeros(PeerAddress const& address, std::ptrdiff_t count) {
    return std::all_of(address.begin(), address.begin() + count, [](auto b) { return b == 0; });
}

bool is_v4(PeerAddress const& address) {
    return begins_with_zeros(address, 10) && address[10] == 0xff && address[11] == 0xff;
}

bool is_loopback(PeerAddress const& address) {
    if (is_v4(address)) return address[12] == 127;
    return begins_with_zeros(address, 15) && address[15] == 1;
}

/// Neither "this network" nor multicast nor reserved (RFC 6890).
bool is_host(PeerAddress const& address) {
    if (is_v4(address)) return address[12] != 0 && address[12] < 224;
    return !begins_with_zeros(address, 16) && address[0] != 0xff;
}

} // namespace

bool is_worth_dialling(PeerEndpoint const& named, PeerAddress const& teller) {
    if (named.port < first_user_port || !is_host(named.address)) return false;
    if (is_loopback(named.address)) return is_loopback(teller);
    return !is_shared_address(named.address) || is_shared_address(teller);
}

} // namespace minuteswarm
