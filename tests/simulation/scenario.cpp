#include "simulation/scenario.hpp"

#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

namespace minuteswarm::simulation {
namespace {

using std::chrono::milliseconds;

MonotonicTime at_second(double second) {
    return MonotonicTime{} +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second));
}

double random_share(SwarmModel& model) {
    return std::uniform_real_distribution<double>{0, 1}(model.random());
}

double random_uplink(SwarmModel& model, ScenarioOptions const& options) {
    auto const roll = random_share(model);
    if (options.use > 0) {
        // Demand: every stripe of every peer; the slots' rounding is not made up for.
        auto const& m = options.model;
        auto const total = static_cast<double>(m.stripes + m.parity);
        auto const mean = total / m.stripes * m.header / m.fill / options.use;
        return mean * (roll < 1.0 / 3 ? 0.5 : roll < 2.0 / 3 ? 1.0 : 1.5);
    }
    if (options.uplink > 0) return options.uplink;
    return roll < 0.3 ? 0.5 : roll < 0.7 ? 1.5 : 3.0;
}

PeerOptions random_peer(SwarmModel& model, ScenarioOptions const& options) {
    PeerOptions peer;
    peer.uplink = random_uplink(model, options);
    auto const roll = random_share(model);
    if (roll < options.idle) {
        peer.uplink = 0;
    } else if (roll < options.idle + options.holes) {
        peer.forwards = false;
        peer.claims_the_best = options.liars;
        if (options.liars) peer.claimed = 6 * peer.uplink;
    } else if (roll < options.idle + options.holes + options.half) {
        peer.claimed = peer.uplink;
        peer.uplink /= 2;
    } else if (auto const lies = options.idle + options.holes + options.half;
               roll < lies + options.late + options.dribble) {
        peer.claims_the_best = true;
        peer.claimed = 6 * peer.uplink;
        if (roll < lies + options.late)
            peer.holds_for = milliseconds{1500};
        else
            peer.forwards_one_in = 10;
    }
    return peer;
}

NodeIndex random_viewer(SwarmModel& model) {
    auto const& alive = model.alive();
    return alive[1 + model.random()() % (alive.size() - 1)];
}

void add_churn(SwarmModel& model, ScenarioOptions const& options) {
    auto const a_second = options.churn * static_cast<double>(options.peers) / 60;
    auto time = options.join_time + 5;
    while (time < options.length) {
        time += -std::log(1 - random_share(model)) / a_second;
        model.at(at_second(time), [&model, options] {
            if (model.alive().size() < 3) return;
            model.kill(random_viewer(model), random_share(model) < options.silent);
            model.join(random_peer(model, options));
        });
    }
}

void kill_share(SwarmModel& model, ScenarioOptions const& options) {
    auto const victims =
        static_cast<std::size_t>(options.die * static_cast<double>(model.alive().size() - 1));
    for (std::size_t i = 0; i < victims; ++i)
        model.kill(random_viewer(model), random_share(model) < options.silent);
}

using Setter = std::function<void(ScenarioOptions&, double)>;

std::map<std::string_view, Setter> const& setters() {
    using O = ScenarioOptions;
    static std::map<std::string_view, Setter> const all{
        {"n", [](O& o, double v) { o.peers = static_cast<std::size_t>(v); }},
        {"k", [](O& o, double v) { o.model.stripes = static_cast<std::uint8_t>(v); }},
        {"m", [](O& o, double v) { o.model.parity = static_cast<std::uint8_t>(v); }},
        {"span", [](O& o, double v) { o.model.span = milliseconds{static_cast<int>(v * 1000)}; }},
        {"rate", [](O& o, double v) { o.model.rate = v; }},
        {"source", [](O& o, double v) { o.model.source_uplink = v; }},
        {"source_links",
         [](O& o, double v) { o.model.source_links = static_cast<std::size_t>(v); }},
        {"seed", [](O& o, double v) { o.model.seed = static_cast<std::uint64_t>(v); }},
        {"uplink", [](O& o, double v) { o.uplink = v; }},
        {"use", [](O& o, double v) { o.use = v; }},
        {"join", [](O& o, double v) { o.join_time = v; }},
        {"length", [](O& o, double v) { o.length = v; }},
        {"from", [](O& o, double v) { o.from = v; }},
        {"churn", [](O& o, double v) { o.churn = v; }},
        {"die", [](O& o, double v) { o.die = v; }},
        {"die_at", [](O& o, double v) { o.die_at = v; }},
        {"silent", [](O& o, double v) { o.silent = v; }},
        {"idle", [](O& o, double v) { o.idle = v; }},
        {"holes", [](O& o, double v) { o.holes = v; }},
        {"liars", [](O& o, double v) { o.liars = v > 0; }},
        {"half", [](O& o, double v) { o.half = v; }},
        {"late", [](O& o, double v) { o.late = v; }},
        {"dribble", [](O& o, double v) { o.dribble = v; }},
    };
    return all;
}

struct Preset {
    std::string_view name;
    std::string_view options; ///< key=value, separated by spaces
};

constexpr Preset presets[] = {
    {"flash", "n=1000 join=2 from=3 length=40"},
    {"steady", "n=1000 join=2 from=30 length=70"},
    {"churn10", "n=1000 join=10 churn=0.1 from=15 length=70"},
    {"churn50", "n=1000 join=10 churn=0.5 from=15 length=70"},
    {"mass_failure", "n=1000 join=5 die=0.3 die_at=30 from=29 length=60"},
    {"mass_failure_silent", "n=1000 join=5 die=0.3 die_at=30 from=29 length=60 silent=1"},
    {"mass_failure_clean", "n=1000 join=5 die=0.3 die_at=30 from=29 length=60 silent=0"},
    {"free_riders", "n=1000 idle=0.3 uplink=2 from=10 length=60"},
    {"black_holes", "n=1000 holes=0.33 uplink=3 from=10 length=60"},
    {"liars", "n=1000 holes=0.33 liars=1 uplink=3 from=10 length=60"},
    {"late_liars", "n=1000 late=0.2 uplink=3 from=10 length=60"},
    {"dribblers", "n=1000 dribble=0.2 uplink=3 from=10 length=60"},
    {"half_capacity", "n=1000 half=0.2 use=0.75 from=10 length=60"},
    {"use70", "n=1000 use=0.7 from=15 length=60"},
    {"use80", "n=1000 use=0.8 from=15 length=60"},
    {"use90", "n=1000 use=0.9 from=15 length=60"},
    {"use95", "n=1000 use=0.95 from=15 length=60"},
    {"use98", "n=1000 use=0.98 from=15 length=60"},
    {"demand105", "n=1000 use=1.05 from=30 length=120"},
    {"demand111", "n=1000 use=1.11 from=30 length=120"},
    {"demand125", "n=1000 use=1.25 from=30 length=120"},
    {"source125", "n=100 source=1.25 from=3 length=60"},
    {"source110", "n=100 source=1.1 from=3 length=60"},
    {"radio", "n=100 k=2 m=0 rate=16000 span=0.5 source=1.4 uplink=2 from=5 length=60"},
    {"radio4", "n=100 k=4 m=1 rate=16000 span=0.5 source=1.4 uplink=2 from=5 length=60"},
};

} // namespace

bool set_option(ScenarioOptions& options, std::string_view key, std::string_view value) {
    auto const setter = setters().find(key);
    double number = 0;
    auto const parsed = std::from_chars(value.data(), value.data() + value.size(), number);
    if (setter == setters().end() || parsed.ptr != value.data() + value.size()) return false;
    setter->second(options, number);
    return true;
}

std::vector<std::string> scenario_names() {
    std::vector<std::string> names;
    for (auto const& preset : presets)
        names.emplace_back(preset.name);
    return names;
}

std::optional<ScenarioOptions> scenario(std::string_view name) {
    for (auto const& preset : presets) {
        if (preset.name != name) continue;
        ScenarioOptions options;
        options.name = name;
        auto rest = preset.options;
        while (!rest.empty()) {
            auto const word = rest.substr(0, rest.find(' '));
            auto const equals = word.find('=');
            if (!set_option(options, word.substr(0, equals), word.substr(equals + 1))) {
                return std::nullopt;
            }
            rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        }
        return options;
    }
    return std::nullopt;
}

void populate(SwarmModel& model, ScenarioOptions const& options) {
    for (std::size_t i = 0; i < options.peers; ++i) {
        auto const time = 0.5 + options.join_time * random_share(model);
        model.join_at(at_second(time), random_peer(model, options));
    }
    if (options.churn > 0) add_churn(model, options);
    if (options.die > 0) {
        model.at(at_second(options.die_at), [&model, options] { kill_share(model, options); });
    }
}

Report run(ScenarioOptions const& options) {
    SwarmModel model{options.model};
    populate(model, options);
    model.run_until(at_second(options.from));
    model.reset_counts();
    auto const settled = std::max(options.from, options.length - 15);
    model.run_until(at_second(settled));
    auto const preempted = model.preempted();
    model.run_until(at_second(options.length));
    auto const last = static_cast<double>(model.preempted()) - static_cast<double>(preempted);
    // The newest groups have not had the time to arrive.
    Window window{at_second(options.from), at_second(options.length - 10)};
    window.only_sharing = options.holes > 0;
    window.only_sharing = window.only_sharing || options.late + options.dribble > 0;
    if (options.die > 0) window.to = at_second(options.die_at + 15);
    auto const counted = at_second(options.length) - at_second(options.from);
    auto result = report(model, window, counted);
    result.name = options.name;
    auto const peers = static_cast<double>(std::max<std::size_t>(model.alive().size(), 2) - 1);
    result.preemptions = std::max(0.0, last) / peers / (options.length - settled + 1e-9);
    return result;
}

} // namespace minuteswarm::simulation
