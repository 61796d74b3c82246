#include "base/limits.hpp"
#include "fuzz/fuzz.hpp"
#include "swarm/messages.hpp"

using namespace minuteswarm;

namespace {

template <class T>
void check_again(T const& message) {
    auto const again = decode_message(encode(message));
    require(again && std::holds_alternative<T>(*again) && std::get<T>(*again) == message);
}

void check_again(UnknownMessage const&) {}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const message = decode_message({data, size});
    if (!message) return 0;
    require(size <= limits::message_size);
    std::visit([](auto const& known) { check_again(known); }, *message);
    return 0;
}
