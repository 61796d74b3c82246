#include "swarm/backlog.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

Duration time_to_send(std::size_t bytes, double uplink) {
    if (bytes == 0) return {};
    if (uplink <= 0) return Duration::max();
    std::chrono::duration<double> const seconds{static_cast<double>(bytes) * 8 / uplink};
    return std::chrono::duration_cast<Duration>(seconds);
}

} // namespace

Backlog::Backlog(std::vector<Neighbour> const& neighbours) {
    std::vector<EdgeQueue const*> stuck;
    std::size_t fed = 0;
    for (auto const& neighbour : neighbours) {
        fed += neighbour.is_fed_lately ? 1U : 0U;
        if (neighbour.queue->is_empty()) continue;
        (neighbour.is_stuck ? stuck : held_up_).push_back(neighbour.queue);
    }
    if (2 * stuck.size() > fed) held_up_.insert(held_up_.end(), stuck.begin(), stuck.end());
}

Duration Backlog::ahead(std::uint64_t uplink, MonotonicTime now) const {
    if (held_up_.empty()) return {};
    if (uplink == 0) {
        auto const wait = [&](EdgeQueue const* queue) { return queue->oldest_wait(now); };
        return wait(*std::ranges::min_element(held_up_, {}, wait));
    }
    std::size_t bytes = 0;
    for (auto const* queue : held_up_)
        bytes += queue->bytes_ahead();
    return time_to_send(bytes, static_cast<double>(uplink));
}

Duration Backlog::behind(double uplink) const {
    std::size_t bytes = 0;
    for (auto const* queue : held_up_)
        bytes += queue->bytes_behind();
    return time_to_send(bytes, uplink);
}

} // namespace minuteswarm
