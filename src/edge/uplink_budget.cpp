#include "edge/uplink_budget.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr double share = 0.9;
constexpr double paced_share = 0.94;
constexpr double least_for_chunks = 0.05; // of the uplink
constexpr double unknown_uplink_times_bitrate = 2;
constexpr MediaTime window = std::chrono::seconds{8};

} // namespace

void UplinkBudget::note(GroupHeader const& header) {
    if (!recent_.empty() && header.media_time <= recent_.back().first) return;
    recent_.emplace_back(header.media_time, header.length);
    while (header.media_time - recent_.front().first > window)
        recent_.pop_front();
}

double UplinkBudget::bitrate() const {
    auto const given = static_cast<double>(options_.bitrate);
    if (recent_.size() < 2) return given;
    auto const time = recent_.back().first - recent_.front().first;
    if (time < window / 4) return given;
    double bytes = 0;
    for (auto const& [at, length] : recent_)
        bytes += length;
    return (bytes - recent_.back().second) * 8 / in_seconds(time); // the newest has only begun
}

double UplinkBudget::stripe_rate() const {
    auto const span = static_cast<double>(options_.parameters.span_ms) / 1000;
    auto const payload = bitrate() / 8 * span / options_.parameters.stripes;
    return (payload + static_cast<double>(block_overhead)) * 8 / span;
}

double UplinkBudget::promised(std::size_t slots) const {
    return stripe_rate() * static_cast<double>(slots);
}

double UplinkBudget::uplink() const {
    return options_.uplink > 0 ? static_cast<double>(options_.uplink)
                               : bitrate() * unknown_uplink_times_bitrate;
}

double UplinkBudget::pace() const {
    return paced_share * uplink();
}

double UplinkBudget::left_for_chunks(std::size_t used_slots, bool has_waiting_blocks) const {
    auto const left = has_waiting_blocks ? 0 : pace() - promised(used_slots);
    return std::max(left, least_for_chunks * uplink());
}

std::size_t UplinkBudget::slots() const {
    auto const slots = share * uplink() / stripe_rate();
    return static_cast<std::size_t>(std::min(slots, static_cast<double>(limits::edge_slots)));
}

} // namespace minuteswarm
