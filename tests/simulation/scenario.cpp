#include "simulation/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace minuteswarm::simulation {
namespace {

using std::chrono::milliseconds;

MonotonicTime at_second(double second) {
    return MonotonicTime{} + seconds_as_time(second);
}

/// Draws who comes and goes: nothing else draws from it, so that every model gets the same.
class Draw {
public:
    explicit Draw(ScenarioOptions const& options)
        : options_(options)
        , random_(~options.model.seed) {}

    double share() { return std::uniform_real_distribution<double>{0, 1}(random_); }
    std::size_t below(std::size_t count) { return random_() % count; }
    PeerOptions peer();

private:
    PeerOptions line();
    PeerOptions const& next_of_lines();

    ScenarioOptions const& options_;
    std::vector<std::size_t> deck_; ///< lines yet to be given away
    std::mt19937_64 random_;
};

PeerOptions Draw::line() {
    PeerOptions peer;
    auto const roll = share();
    if (options_.use > 0) {
        // Demand: every stripe of every peer; the slots' rounding is not made up for.
        auto const& m = options_.model;
        auto const total = static_cast<double>(m.stripes + m.parity);
        auto const mean = total / m.stripes * m.header / m.fill / options_.use;
        peer.uplink = mean * (roll < 1.0 / 3 ? 0.5 : roll < 2.0 / 3 ? 1.0 : 1.5);
    } else if (!options_.lines.empty()) {
        peer = next_of_lines();
    } else if (options_.uplink > 0) {
        peer.uplink = options_.uplink;
    } else {
        peer.uplink = roll < 0.3 ? 0.5 : roll < 0.7 ? 1.5 : 3.0;
    }
    return peer;
}

/// Each as often as it counts, before the first comes again.
PeerOptions const& Draw::next_of_lines() {
    if (deck_.empty()) {
        for (std::size_t i = 0; i < options_.lines.size(); ++i)
            deck_.insert(deck_.end(), options_.lines[i].count, i);
    }
    std::swap(deck_[below(deck_.size())], deck_.back());
    auto const& line = options_.lines[deck_.back()];
    deck_.pop_back();
    return line.peer;
}

PeerOptions Draw::peer() {
    auto peer = line();
    auto const roll = share();
    if (roll < options_.idle) {
        peer.uplink = 0;
    } else if (roll < options_.idle + options_.holes) {
        peer.forwards = false;
        peer.claims_the_best = options_.liars;
        if (options_.liars) peer.claimed = 6 * peer.uplink;
    } else if (roll < options_.idle + options_.holes + options_.half) {
        peer.claimed = peer.uplink;
        peer.uplink /= 2;
    } else if (auto const lies = options_.idle + options_.holes + options_.half;
               roll < lies + options_.late + options_.dribble) {
        peer.claims_the_best = true;
        peer.claimed = 6 * peer.uplink;
        if (roll < lies + options_.late)
            peer.holds_for = milliseconds{1500};
        else
            peer.forwards_one_in = 10;
    } else if (roll < lies + options_.late + options_.dribble + options_.forge) {
        peer.forges_paths = true;
    }
    return peer;
}

std::vector<std::size_t> there_at(std::vector<Visit> const& all, MonotonicTime time) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].comes < time && all[i].leaves > time) found.push_back(i);
    }
    return found;
}

void add_churn(std::vector<Visit>& all, Draw& draw, ScenarioOptions const& options) {
    auto const a_second = options.churn * static_cast<double>(options.peers) / 60;
    auto time = options.join_time + 5;
    while (time < options.length) {
        time += -std::log(1 - draw.share()) / a_second;
        auto const there = there_at(all, at_second(time));
        if (there.size() < 2) continue;
        auto& victim = all[there[draw.below(there.size())]];
        victim.leaves = at_second(time);
        victim.is_silent = draw.share() < options.silent;
        all.push_back({at_second(time), MonotonicTime::max(), false, draw.peer()});
    }
}

void kill_share(std::vector<Visit>& all, Draw& draw, ScenarioOptions const& options) {
    auto const time = at_second(options.die_at);
    auto there = there_at(all, time);
    auto const victims = static_cast<std::size_t>(options.die * static_cast<double>(there.size()));
    for (std::size_t i = 0; i < victims; ++i) {
        std::swap(there[i], there[i + draw.below(there.size() - i)]);
        all[there[i]].leaves = time;
        all[there[i]].is_silent = draw.share() < options.silent;
    }
}

template <typename Model>
Report run_with(ScenarioOptions const& options) {
    Model model{options.model};
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

} // namespace

std::vector<Visit> visits(ScenarioOptions const& options) {
    Draw draw{options};
    std::vector<Visit> all;
    for (std::size_t i = 0; i < options.peers; ++i) {
        auto const time = at_second(0.5 + options.join_time * draw.share());
        all.push_back({time, MonotonicTime::max(), false, draw.peer()});
    }
    std::ranges::stable_sort(all, {}, &Visit::comes);
    if (options.churn > 0) add_churn(all, draw, options);
    if (options.die > 0) kill_share(all, draw, options);
    return all;
}

Report run(ScenarioOptions const& options) {
    return options.is_tree ? run_with<RelayTree>(options) : run_with<SwarmModel>(options);
}

} // namespace minuteswarm::simulation
