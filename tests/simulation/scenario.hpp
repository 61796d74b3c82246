#pragma once

#include "simulation/relay_tree.hpp"
#include "simulation/report.hpp"
#include "simulation/swarm_model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace minuteswarm::simulation {

/// So many of a scenario's viewers have a line like this one.
struct LineShare {
    std::size_t count = 1;
    PeerOptions peer; ///< uplink, delay, loss
};

/// What a run is made of; every field can be given as key=value.
struct ScenarioOptions {
    ModelOptions model;
    bool is_tree = false; ///< the relay tree instead of the product's policy
    std::size_t peers = 100;
    double uplink = 0; ///< of the rate, all the same; 0: mixed, 30 % 0.5, 40 % 1.5, 30 % 3
    std::vector<LineShare> lines; ///< instead; count:uplink:delay in ms:loss, by commas
    double use = 0;       ///< mean uplink that makes the slots' use so much; thirds 0.5, 1, 1.5
    double join_time = 2; ///< seconds, in which all come
    double length = 60;   ///< seconds
    double from = 3;      ///< groups count from here on
    double churn = 0;     ///< of the peers leave a minute, as many come
    double die = 0;       ///< share that leaves at once
    double die_at = 30;
    double silent = 0.5; ///< share of leaving peers that tell nobody
    double idle = 0;     ///< share of peers without uplink
    double holes = 0;    ///< share of peers that take slots and forward nothing
    bool liars = false;  ///< these also claim the best of everything
    double late = 0;     ///< share of peers that claim the best and hold blocks for 1.5 s
    double forge = 0;    ///< share of peers that forge the paths of their blocks
    double dribble = 0;  ///< share of peers that claim the best and pass on a group in ten
    double half = 0;     ///< share of peers with half the uplink they believe in
    std::string name;
};

/// A viewer's stay.
struct Visit {
    MonotonicTime comes{};
    MonotonicTime leaves = MonotonicTime::max();
    bool is_silent = false; ///< leaves without telling anybody
    PeerOptions peer;
};

/// False: no such key, or no such value.
bool set_option(ScenarioOptions& options, std::string_view key, std::string_view value);
/// None: no such scenario.
std::optional<ScenarioOptions> scenario(std::string_view name);
std::vector<std::string> scenario_names();

/// Who comes and goes, in the order in which they come: of one seed the same for every model, in
/// which visit i is node i + 1.
std::vector<Visit> visits(ScenarioOptions const& options);
/// Sets a scenario up; it runs with `run_until`.
template <typename Model>
void populate(Model& model, ScenarioOptions const& options) {
    NodeIndex node = 0;
    for (auto const& visit : visits(options)) {
        ++node;
        model.join_at(visit.comes, visit.peer);
        if (visit.leaves == MonotonicTime::max()) continue;
        model.at(visit.leaves, [&model, node, is_silent = visit.is_silent] {
            model.kill(node, is_silent);
        });
    }
}
Report run(ScenarioOptions const& options);

} // namespace minuteswarm::simulation
