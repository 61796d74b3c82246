#pragma once

#include "base/ids.hpp"

#include <libtorrent/hasher.hpp>

namespace minuteswarm {

/// SHA-256 of bytes that come in parts: files too large to hold in memory. Used once. It is
/// libtorrent's, which has the processor's instructions for it: every chunk goes through here.
class Sha256Stream {
public:
    void add(ByteView bytes);
    [[nodiscard]] Sha256 finish();

private:
    lt::hasher256 hasher_;
};

} // namespace minuteswarm
