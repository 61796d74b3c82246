#pragma once

#include "base/ids.hpp"

#include <initializer_list>

namespace minuteswarm {

/// The first 12 bytes of BLAKE2b (RFC 7693) with 16 bytes of output: nobody finds other bytes for a
/// given one. Two byte strings with one digest are in reach of whoever chooses both, so it binds a
/// channel's own bytes only where its signature covers the digest.
using Digest = FixedBytes<struct DigestTag, 12>;

/// Of the concatenation of `parts`.
Digest digest(std::initializer_list<ByteView> parts);

} // namespace minuteswarm
