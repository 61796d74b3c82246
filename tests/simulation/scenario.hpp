#pragma once

#include "simulation/report.hpp"
#include "simulation/swarm_model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace minuteswarm::simulation {

/// What a run is made of; every field can be given as key=value.
struct ScenarioOptions {
    ModelOptions model;
    std::size_t peers = 100;
    double uplink = 0;    ///< of the rate, all the same; 0: mixed, 30 % 0.5, 40 % 1.5, 30 % 3
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
    double dribble = 0;  ///< share of peers that claim the best and pass on a group in ten
    double half = 0;     ///< share of peers with half the uplink they believe in
    std::string name;
};

/// False: no such key, or no such value.
bool set_option(ScenarioOptions& options, std::string_view key, std::string_view value);
/// None: no such scenario.
std::optional<ScenarioOptions> scenario(std::string_view name);
std::vector<std::string> scenario_names();

/// Sets the swarm of a scenario up; it runs with `run_until`.
void populate(SwarmModel& model, ScenarioOptions const& options);
Report run(ScenarioOptions const& options);

} // namespace minuteswarm::simulation
