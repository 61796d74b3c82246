#pragma once

#include "base/time.hpp"
#include "edge/node_path.hpp"
#include "simulation/uplink.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace minuteswarm::simulation {

/// A stream and a network. Rates in bytes per second.
struct ModelOptions {
    std::uint8_t stripes = 8;
    std::uint8_t parity = 1;
    std::chrono::milliseconds span{250};
    double rate = 500'000;
    double source_uplink = 1.5; ///< of the rate
    std::chrono::milliseconds least_delay{5};
    std::chrono::milliseconds most_delay{60};
    bool has_lines = false;                   ///< delays are those of the peers' lines
    std::chrono::microseconds source_delay{}; ///< of the source's line
    double source_loss = 0;                   ///< share of packets, on the source's line
    std::size_t links_wanted = 20;
    std::size_t source_links = 40;
    double fill = 0.93;   ///< of the uplink, in slots
    double told = 0;      ///< or those that the program has when it is told so much of the uplink
    double header = 1.02; ///< of a block's payload
    std::uint64_t seed = 1;
    Duration start_back{};          ///< how far behind the newest group viewers begin
    std::uint64_t entry_groups = 0; ///< each so many begins with a random access point; 0: none
    bool has_equal_homes = false; ///< who knows of no homes yet chooses those that all others chose
};

/// What a peer is like.
struct PeerOptions {
    double uplink = 1.5;                   ///< of the rate
    double claimed = 0;                    ///< of the rate; 0: as it is
    std::chrono::microseconds delay{};     ///< of its line, one way; see ModelOptions::has_lines
    double loss = 0;                       ///< share of packets, on its line
    bool forwards = true;                  ///< false: takes stripes and children, and sends nothing
    bool claims_the_best = false;          ///< says it has every stripe, new and with slots free
    bool forges_paths = false;             ///< says of each block that it has it from the source
    std::uint64_t forwards_one_in = 1;     ///< groups: the others it keeps to itself
    std::chrono::milliseconds holds_for{}; ///< each block, and says it did not
};

/// What was counted since the last reset.
struct Counts {
    std::uint64_t blocks = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t answers = 0; ///< blocks sent late: catch-up and repair
    std::uint64_t control_bytes = 0;
    std::uint64_t control_packet_bytes = 0; ///< with TCP and IP
    std::uint64_t control_messages = 0;
    std::uint64_t source_blocks = 0;
    std::uint64_t source_answers = 0;
    std::uint64_t own_paths = 0; ///< blocks from a parent that had been at the receiver before
    std::uint64_t hops = 0;
    std::uint64_t hop_samples = 0;
    std::size_t most_hops = 0;
    Duration most_source_queue{};
    Duration worst_age_error{};
    std::vector<Duration> reattached;
};

/// What a report wants to know of a node, whatever it is a node of.
struct Viewer {
    PeerOptions options;
    bool is_alive = false;
    MonotonicTime joined{};
    MonotonicTime left = MonotonicTime::max();
    std::vector<float> done; ///< seconds after the group, by group; -1: not
    std::vector<std::pair<MonotonicTime, MonotonicTime>>
        absences; ///< stepped back, until K stripes flow
};

PeerOptions source_options(ModelOptions const& options);

/// Until a newcomer knows whom to ask.
inline constexpr std::chrono::milliseconds tracker_time{50};

inline Duration seconds_as_time(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

/// When all of a group is there at the source.
MonotonicTime group_time(ModelOptions const& options, std::uint64_t group);
bool is_entry(ModelOptions const& options, GroupNumber group);
/// Of a group of usual length, without header.
double payload_bytes(ModelOptions const& options);
double block_bytes(ModelOptions const& options);
/// Stripes that an uplink (of the rate) carries.
std::size_t slots(ModelOptions const& options, double uplink, bool is_source = false);
/// One way between two nodes: always the same. What comes second are their lines.
Duration delay(
    ModelOptions const& options,
    std::pair<NodeIndex, PeerOptions const&> a,
    std::pair<NodeIndex, PeerOptions const&> b
);
/// Share of blocks of so many bytes of which a packet is lost on one of two lines.
double block_loss(double bytes, PeerOptions const& a, PeerOptions const& b);
/// What a block that lost a packet comes later, as TCP sends its last one again after two round
/// trips (RFC 8985, 7.2); that what follows it waits too is left out.
inline Duration repeat_time(Duration one_way) {
    return 4 * one_way;
}
/// Nobody can be sooner, on average: the source sends K blocks, then come as many hops of a block
/// each as a full tree of every stripe needs.
double lower_bound(ModelOptions const& options, std::vector<PeerOptions> const& viewers);

} // namespace minuteswarm::simulation
