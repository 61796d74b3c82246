#include "simulation/network.hpp"

#include "edge/uplink_budget.hpp"

#include <algorithm>
#include <cmath>

namespace minuteswarm::simulation {
namespace {

constexpr double packet_bytes = 1448; // what TCP puts into 1500 bytes

double in_s(Duration time) {
    return std::chrono::duration<double>(time).count();
}

} // namespace

PeerOptions source_options(ModelOptions const& options) {
    PeerOptions source;
    source.uplink = options.source_uplink;
    source.delay = options.source_delay;
    source.loss = options.source_loss;
    return source;
}

MonotonicTime group_time(ModelOptions const& options, std::uint64_t group) {
    return MonotonicTime{} + static_cast<Duration::rep>(group + 1) * Duration{options.span};
}

bool is_entry(ModelOptions const& options, GroupNumber group) {
    return options.entry_groups > 0 && group.value % options.entry_groups == 0;
}

double payload_bytes(ModelOptions const& options) {
    return options.rate * in_s(options.span) / options.stripes;
}

double block_bytes(ModelOptions const& options) {
    return payload_bytes(options) * options.header;
}

std::size_t slots(ModelOptions const& options, double uplink, bool is_source) {
    if (options.told > 0) {
        UplinkBudget::Options program;
        program.parameters.span_ms = static_cast<std::uint32_t>(options.span.count());
        program.parameters.stripes = options.stripes;
        program.parameters.parity = options.parity;
        program.bitrate = static_cast<std::uint64_t>(options.rate * 8);
        program.uplink = static_cast<std::uint64_t>(options.told * uplink * options.rate * 8);
        program.is_source = is_source;
        return program.uplink > 0 ? UplinkBudget{program}.slots() : 0;
    }
    auto const stripe = options.header / options.stripes;
    return static_cast<std::size_t>(options.fill * uplink / stripe + 1e-9);
}

Duration delay(
    ModelOptions const& options,
    std::pair<NodeIndex, PeerOptions const&> a,
    std::pair<NodeIndex, PeerOptions const&> b
) {
    if (options.has_lines) return a.second.delay + b.second.delay;
    auto const lower = std::min(a.first, b.first);
    auto mixed = (std::uint64_t{lower} << 32U | std::max(a.first, b.first)) + options.seed * 77;
    mixed = (mixed ^ mixed >> 31U) * 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 29U) * 0xbf58476d1ce4e5b9U;
    mixed ^= mixed >> 32U;
    Duration const range = options.most_delay - options.least_delay;
    return options.least_delay +
           Duration{
               static_cast<Duration::rep>(mixed % (static_cast<std::uint64_t>(range.count()) + 1))};
}

double block_loss(double bytes, PeerOptions const& a, PeerOptions const& b) {
    if (a.loss + b.loss <= 0) return 0;
    return 1 - std::pow((1 - a.loss) * (1 - b.loss), std::ceil(bytes / packet_bytes));
}

double lower_bound(ModelOptions const& options, std::vector<PeerOptions> const& viewers) {
    double uplinks = 0;
    Duration delays{};
    for (auto const& viewer : viewers) {
        uplinks += viewer.uplink;
        delays += viewer.delay;
    }
    auto const count = static_cast<double>(viewers.size());
    if (viewers.empty() || uplinks <= 0) return 0;
    auto const mean = uplinks / count;
    auto const total = static_cast<double>(options.stripes + options.parity);
    auto const roots = static_cast<double>(slots(options, options.source_uplink, true));
    auto const fanout = std::max(static_cast<double>(slots(options, mean)), 2.0);
    auto const hops = std::max(0.0, std::ceil(std::log(count * total / roots) / std::log(fanout)));
    auto const block = block_bytes(options) / options.rate;
    auto const one_way = options.has_lines ? 2 * in_s(delays) / count
                                           : in_s(options.least_delay + options.most_delay) / 2;
    return options.stripes * block / options.source_uplink + one_way +
           hops * (block / mean + one_way);
}

} // namespace minuteswarm::simulation
