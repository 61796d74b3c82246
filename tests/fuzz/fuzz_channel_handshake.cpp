#include "base/limits.hpp"
#include "fuzz/fuzz.hpp"
#include "swarm/messages.hpp"

using namespace minuteswarm;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const handshake = decode_handshake({data, size});
    if (!handshake || handshake->version > protocol_version) return 0;
    require(handshake->held.size() <= limits::held_ranges);
    auto const again = decode_handshake(encode(*handshake));
    require(again && *again == *handshake);
    return 0;
}
