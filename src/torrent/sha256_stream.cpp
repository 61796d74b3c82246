#include "torrent/sha256_stream.hpp"

#include "base/text.hpp"

namespace minuteswarm {

void Sha256Stream::add(ByteView bytes) {
    if (bytes.empty()) return;
    auto const text = as_text(bytes);
    hasher_.update({text.data(), static_cast<std::ptrdiff_t>(text.size())});
}

Sha256 Sha256Stream::finish() {
    auto const digest = hasher_.final();
    return *Sha256::from(as_bytes({digest.data(), Sha256::size}));
}

} // namespace minuteswarm
