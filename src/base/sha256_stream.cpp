#include "base/sha256_stream.hpp"

#include <sodium.h>

namespace minuteswarm {

struct Sha256Stream::State {
    crypto_hash_sha256_state sodium;
};

Sha256Stream::Sha256Stream()
    : state_(std::make_unique<State>()) {
    crypto_hash_sha256_init(&state_->sodium);
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::add(ByteView bytes) {
    crypto_hash_sha256_update(&state_->sodium, bytes.data(), bytes.size());
}

Sha256 Sha256Stream::finish() {
    Sha256 result;
    crypto_hash_sha256_final(&state_->sodium, result.bytes.data());
    return result;
}

} // namespace minuteswarm
