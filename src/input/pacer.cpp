#include "input/pacer.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

// Later than this, the source was held up (a full queue, a slow disk): go on from here rather
// than catch up in a burst that live viewers could not follow.
constexpr std::chrono::seconds late_limit{2};

} // namespace

MonotonicTime Pacer::due(MediaTime position, MonotonicTime now) {
    if (!start_ || now - (*start_ + position) > late_limit) start_ = now - position;
    return *start_ + position - lead_;
}

std::chrono::milliseconds BackOff::next() {
    auto const delay = delay_;
    delay_ = std::min(delay_ * 2, longest);
    return delay;
}

} // namespace minuteswarm
