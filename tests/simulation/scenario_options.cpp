#include "edge/edge_parameters.hpp"
#include "edge/uplink_budget.hpp"
#include "edge/wire_size.hpp"
#include "simulation/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

// Scenarios by name, and what can be said of one.

namespace minuteswarm::simulation {
namespace {

using std::chrono::milliseconds;

std::chrono::microseconds in_ms(double time) {
    return std::chrono::microseconds{static_cast<int>(time * 1000)};
}

std::optional<double> parse(std::string_view text) {
    double number = 0;
    auto const parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> parts;
    while (true) {
        auto const end = text.find(mark);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

/// Stripes, and what a block takes of a line, as the program has them for a stream of so many bits
/// per second.
void set_bitrate(ScenarioOptions& options, double bitrate) {
    auto& model = options.model;
    auto const chosen = choose_parameters(static_cast<std::uint64_t>(bitrate));
    model.rate = bitrate / 8;
    model.stripes = chosen.stripes;
    model.parity = chosen.parity;
    model.span = milliseconds{chosen.span_ms};
    auto const payload = payload_bytes(model);
    auto const message = static_cast<std::size_t>(payload) + block_overhead;
    model.header = static_cast<double>(wire_size(message)) / payload;
}

void set_entry_time(ScenarioOptions& options, double seconds) {
    auto const groups = in_ms(seconds * 1000) / options.model.span;
    options.model.entry_groups = std::max<std::uint64_t>(static_cast<std::uint64_t>(groups), 1);
}

bool set_lines(ScenarioOptions& options, std::string_view value) {
    options.model.has_lines = true;
    options.lines.clear();
    for (auto const text : split(value, ',')) {
        std::vector<double> numbers;
        for (auto const part : split(text, ':')) {
            auto const number = parse(part);
            if (!number || *number < 0) return false;
            numbers.push_back(*number);
        }
        if (numbers.size() != 4 || numbers[0] < 1) return false;
        LineShare line{static_cast<std::size_t>(numbers[0]), {}};
        line.peer.uplink = numbers[1];
        line.peer.delay = in_ms(numbers[2]);
        line.peer.loss = numbers[3];
        options.lines.push_back(line);
    }
    return true;
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
        {"bitrate", set_bitrate},
        {"source", [](O& o, double v) { o.model.source_uplink = v; }},
        {"source_delay", [](O& o, double v) { o.model.source_delay = in_ms(v); }},
        {"source_loss", [](O& o, double v) { o.model.source_loss = v; }},
        {"source_links",
         [](O& o, double v) { o.model.source_links = static_cast<std::size_t>(v); }},
        {"tree", [](O& o, double v) { o.is_tree = v > 0; }},
        {"seed", [](O& o, double v) { o.model.seed = static_cast<std::uint64_t>(v); }},
        {"uplink", [](O& o, double v) { o.uplink = v; }},
        {"fill", [](O& o, double v) { o.model.fill = v; }},
        {"told", [](O& o, double v) { o.model.told = v; }},
        {"back", [](O& o, double v) { o.model.start_back = in_ms(v * 1000); }},
        {"entries", [](O& o, double v) { o.model.entry_groups = static_cast<std::uint64_t>(v); }},
        {"entry_time", set_entry_time},
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
        {"forge", [](O& o, double v) { o.forge = v; }},
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
    {"crowd", "n=1000 join=10 from=15 length=30"},
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
    {"forgers", "n=1000 forge=0.2 uplink=3 from=10 length=60"},
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
    if (key == "lines") return set_lines(options, value);
    auto const setter = setters().find(key);
    auto const number = parse(value);
    if (setter == setters().end() || !number) return false;
    setter->second(options, *number);
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
        for (auto const word : split(preset.options, ' ')) {
            auto const equals = word.find('=');
            if (!set_option(options, word.substr(0, equals), word.substr(equals + 1))) {
                return std::nullopt;
            }
        }
        return options;
    }
    return std::nullopt;
}

} // namespace minuteswarm::simulation
