#include "edge/subscription_messages.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>

using namespace minuteswarm;

namespace {

/// What was accepted has one encoding, apart from a claim of more free slots than slots.
template <class Decode>
void check(Decode decode, ByteView body) {
    auto const message = decode(body);
    if (!message) return;
    auto const again = decode(encode_body(*message));
    require(again && *again == *message);
    require(encode_body(*message).size() == body.size());
}

} // namespace

/// The first byte chooses the parser.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    ByteView const body{data + 1, size - 1};
    switch (data[0]) {
    case 8:
        check(decode_advert, body);
        break;
    case 9:
        check(decode_subscribe, body);
        break;
    case 10:
        check(decode_accept, body);
        break;
    case 11:
        check(decode_reject, body);
        break;
    case 12:
        check(decode_unsubscribe, body);
        break;
    case 13:
        check(decode_preempt, body);
        break;
    default:
        break;
    }
    return 0;
}
