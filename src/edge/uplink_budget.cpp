#include "edge/uplink_budget.hpp"

#include "base/limits.hpp"
#include "edge/edge_parameters.hpp"
#include "edge/wire_size.hpp"

#include <algorithm>
#include <iterator>

namespace minuteswarm {
namespace {

constexpr double share = 0.92;
constexpr double kept_share = 0.95;       // what slots that are there may come to take
constexpr double least_for_chunks = 0.05; // of the uplink
constexpr double unknown_uplink_times_bitrate = 2;
constexpr MediaTime window = std::chrono::seconds{30}; // longer than a scene
constexpr MediaTime least_media = std::chrono::seconds{4};
constexpr MediaTime least_unless_given = std::chrono::seconds{1};
constexpr double unknown_bitrate = 4'000'000;
// Bits per second. What the share leaves of a narrower uplink does not hold the adverts of a node
// with a dozen neighbours, and connections that come and go.
constexpr double least_left = 6'400;

} // namespace

void UplinkBudget::note(GroupHeader const& header) {
    recent_.try_emplace(header.group, Length{header.media_time, header.length});
    auto const newest = recent_.rbegin()->second.at;
    while (newest - recent_.begin()->second.at > window || recent_.size() > limits::edge_groups)
        recent_.erase(recent_.begin());
}

/// Of groups whose next one is known as well: what did not come must not make the stream look
/// smaller, and the uplink larger, than it is.
double UplinkBudget::bitrate() const {
    double bytes = 0;
    MediaTime time{};
    for (auto group = recent_.begin(); group != recent_.end(); ++group) {
        auto const next = std::next(group);
        if (next == recent_.end() || next->first != group->first.next()) continue;
        bytes += group->second.bytes;
        time += next->second.at - group->second.at;
    }
    auto const is_given = options_.bitrate > 0;
    if (time >= (is_given ? least_media : least_unless_given)) return bytes * 8 / in_seconds(time);
    return is_given ? static_cast<double>(options_.bitrate) : unknown_bitrate;
}

/// Bytes of one stripe's block as a message, on average.
std::size_t UplinkBudget::block_size() const {
    auto const payload = bitrate() / 8 * span() / options_.parameters.stripes;
    return static_cast<std::size_t>(payload) + block_overhead;
}

double UplinkBudget::span() const {
    return static_cast<double>(options_.parameters.span_ms) / 1000;
}

double UplinkBudget::promised(std::size_t slots) const {
    return static_cast<double>(wire_size(block_size()) * slots) * 8 / span();
}

double UplinkBudget::acknowledgements() const {
    auto const& run = options_.parameters;
    auto const stripes = options_.is_source ? 0U : std::size_t{run.stripes} + run.parity;
    return static_cast<double>(acknowledgement_size(block_size()) * stripes) * 8 / span();
}

double UplinkBudget::uplink() const {
    return options_.uplink > 0 ? static_cast<double>(options_.uplink)
                               : bitrate() * unknown_uplink_times_bitrate;
}

double UplinkBudget::left_for_chunks(std::size_t used_slots, bool has_waiting_blocks) const {
    auto const left =
        has_waiting_blocks ? 0 : share * uplink() - acknowledgements() - promised(used_slots);
    return std::max(left, least_for_chunks * uplink());
}

/// All nodes see the same bitrate: what one gives up for a little of it, all do at once, and every
/// tree has to form anew.
std::size_t UplinkBudget::slots(std::size_t present) const {
    auto const given = std::min(share * uplink(), uplink() - least_left) - acknowledgements();
    auto const wanted = std::max(given, 0.0) / promised(1);
    auto const slots = std::min(wanted, static_cast<double>(limits::edge_slots));
    auto const found = static_cast<std::size_t>(slots);
    auto const fits = [&](std::size_t more) {
        return promised(more) + acknowledgements() <= kept_share * uplink();
    };
    if (found < present && fits(present)) return present;
    // With less than one copy to give a source feeds nobody.
    std::size_t const copy = options_.parameters.stripes;
    return found < copy && fits(copy) ? copy : found;
}

} // namespace minuteswarm
