#pragma once

#include "simulation/relay_tree.hpp"
#include "simulation/swarm_model.hpp"

#include <string>
#include <vector>

namespace minuteswarm::simulation {

/// What a run came to. Times in seconds, shares from 0 to 1; a time that was not reached is
/// infinite.
struct Report {
    std::string name;
    std::size_t peers = 0; ///< alive at the end
    double slot_use = 0;
    double p50 = 0, p99 = 0, p999 = 0, most = 0; ///< from a whole group at the source to K blocks
    double within_1 = 0, within_2 = 0, within_5 = 0;
    double on_time = 0;  ///< within ModelOptions::start_back
    double joined = 0;   ///< of those that came: rebuilt a group
    double unserved = 0; ///< of those that groups count for: rebuilt none of them
    double join_p50 = 0, join_p99 = 0;
    /// Until a random access point is rebuilt with which playing can begin, and which share of the
    /// next half minute's groups comes too late to be played from there on.
    double first_p50 = 0, first_p95 = 0, late_after_first = 0;
    double hops = 0;
    std::size_t most_hops = 0;
    double control = 0;         ///< bytes a second and peer
    double control_packets = 0; ///< with TCP and IP
    double duplicates = 0;      ///< of all blocks
    double source_upload = 0;   ///< of the rate
    double source_queue = 0;    ///< the longest
    std::uint64_t source_answers = 0;
    double reattach_p50 = 0, reattach_p90 = 0, reattach_p99 = 0;
    double preemptions = 0;  ///< a peer and second; of the tree: children dismissed
    double stepped_back = 0; ///< share of peers, over time
    double lower_bound = 0;
    std::uint64_t own_paths = 0;
    double age_error = 0;
};

/// Which groups count: those of these times, for a viewer from `settling` after it came or came
/// back, while it is not stepped back.
struct Window {
    MonotonicTime from{};
    MonotonicTime to = MonotonicTime::max();
    Duration settling = std::chrono::seconds{5};
    bool only_sharing = false; ///< leaves out peers that do not forward
};

double quantile(std::vector<double>& values, double share);
/// The model's counts are taken as those of the `counted` time.
Report report(SwarmModel const& model, Window const& window, Duration counted);
Report report(RelayTree const& tree, Window const& window, Duration counted);
std::string to_json(Report const& report);
std::string table_head();
std::string to_row(Report const& report);

} // namespace minuteswarm::simulation
