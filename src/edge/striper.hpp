#pragma once

#include "edge/block.hpp"
#include "edge/parity_code.hpp"

namespace minuteswarm {

/// The group's K+M blocks, by stripe, signed, as they leave the source. The header's K and M are
/// those of `code`. Pure, and the source's most expensive step: fit for another thread.
std::vector<Block> stripe_group(Group const& group, ParityCode const& code, ChannelKey const& key);

} // namespace minuteswarm
