#include "base/digest.hpp"

#include <sodium.h>

namespace minuteswarm {

Digest digest(std::initializer_list<ByteView> parts) {
    // Chooses the fastest code for this processor.
    [[maybe_unused]] static bool const started = sodium_init() >= 0;
    crypto_generichash_state state;
    Digest result;
    crypto_generichash_init(&state, nullptr, 0, Digest::size);
    for (auto const part : parts)
        crypto_generichash_update(&state, part.data(), part.size());
    crypto_generichash_final(&state, result.bytes.data(), Digest::size);
    return result;
}

} // namespace minuteswarm
