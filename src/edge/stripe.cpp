#include "edge/stripe.hpp"

#include "base/big_endian.hpp"

namespace minuteswarm {

NodeId source_node(RunId const& run) {
    return {*BigEndianReader{run.view()}.take<std::uint32_t>()};
}

} // namespace minuteswarm
