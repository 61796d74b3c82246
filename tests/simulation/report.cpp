#include "simulation/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <limits>
#include <sstream>

namespace minuteswarm::simulation {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr std::chrono::seconds judged_after_start{30};
constexpr std::chrono::seconds judged_last{10}; // what is newer has not had the time to arrive

double in_s(Duration time) {
    return std::chrono::duration<double>(time).count();
}

bool is_absent(Viewer const& node, MonotonicTime time, Duration settling) {
    return std::any_of(node.absences.begin(), node.absences.end(), [&](auto const& absence) {
        auto const back =
            absence.second == MonotonicTime::max() ? absence.second : absence.second + settling;
        return time >= absence.first && time < back;
    });
}

struct Delays {
    std::vector<double> groups;
    std::vector<double> joins;
    std::vector<double> firsts;
    std::vector<bool> is_late; ///< groups after a start
    double absent = 0;
    double all = 0;
    std::size_t viewers = 0; ///< that groups count for
    std::size_t unserved = 0;
};

template <typename Model>
void add_groups(Delays& to, Model const& model, Viewer const& node, Window const& window) {
    auto const before = to.groups.size();
    std::size_t rebuilt = 0;
    for (std::uint64_t group = 0; group < model.groups(); ++group) {
        auto const time = model.group_time(group);
        if (time < window.from || time > window.to || time < node.joined + window.settling)
            continue;
        if (time + std::chrono::seconds{2} > node.left) break;
        to.all += 1;
        if (is_absent(node, time, window.settling)) {
            to.absent += 1;
            continue;
        }
        auto const is_done = group < node.done.size() && node.done[group] >= 0;
        to.groups.push_back(is_done ? static_cast<double>(node.done[group]) : never);
        rebuilt += is_done ? 1U : 0U;
    }
    if (to.groups.size() == before) return;
    ++to.viewers;
    to.unserved += rebuilt == 0 ? 1U : 0U;
}

template <typename Model>
double join_time(Model const& model, Viewer const& node) {
    auto earliest = never;
    for (std::size_t group = 0; group < node.done.size(); ++group) {
        if (node.done[group] < 0) continue;
        auto const done =
            in_s(model.group_time(group) - node.joined) + static_cast<double>(node.done[group]);
        earliest = std::min(earliest, std::max(done, 0.0));
    }
    return earliest;
}

struct Start {
    double first = never; ///< seconds after joining
    std::uint64_t group = 0;
};

template <typename Model>
Start start_of(Model const& model, Viewer const& node) {
    Start start;
    for (std::uint64_t group = 0; group < node.done.size(); ++group) {
        if (!is_entry(model.options(), {group}) || node.done[group] < 0) continue;
        auto const time = in_s(model.group_time(group) - node.joined);
        auto const done = time + static_cast<double>(node.done[group]);
        if (done < start.first) start = {done, group};
    }
    return start;
}

/// Played as far behind as was asked for, or later if it began later.
template <typename Model>
void add_late(std::vector<bool>& is_late, Model const& model, Viewer const& node, Start start) {
    auto const& options = model.options();
    auto const until = std::min(node.left, node.joined + judged_after_start);
    for (auto group = start.group; group < model.groups(); ++group) {
        auto const time = model.group_time(group);
        if (time > until || time + judged_last > model.now()) return;
        auto const made = in_s(time - node.joined);
        auto const played = start.first + in_s(time - model.group_time(start.group));
        auto const due = std::max(made + in_s(options.start_back), played);
        auto const is_there = group < node.done.size() && node.done[group] >= 0;
        is_late.push_back(!is_there || made + static_cast<double>(node.done[group]) > due);
    }
}

bool shares(PeerOptions const& peer) {
    return peer.forwards && !peer.claims_the_best;
}

template <typename Model>
Delays delays(Model const& model, Window const& window) {
    Delays found;
    for (std::size_t i = 1; i < model.nodes().size(); ++i) {
        auto const& node = model.nodes()[i];
        if (window.only_sharing && !shares(node.options)) continue;
        add_groups(found, model, node, window);
        if (node.left - node.joined > std::chrono::seconds{5}) {
            found.joins.push_back(join_time(model, node));
            auto const start = start_of(model, node);
            found.firsts.push_back(start.first);
            if (std::isfinite(start.first)) add_late(found.is_late, model, node, start);
        }
    }
    return found;
}

double share_within(std::vector<double> const& values, double limit) {
    if (values.empty()) return 0;
    auto const within =
        std::count_if(values.begin(), values.end(), [&](auto v) { return v <= limit; });
    return static_cast<double>(within) / static_cast<double>(values.size());
}

template <typename Model>
double bound(Model const& model) {
    std::vector<PeerOptions> viewers;
    for (auto const index : model.alive()) {
        if (index != 0) viewers.push_back(model.node(index).options);
    }
    return lower_bound(model.options(), viewers);
}

std::string number(double value, int digits) {
    if (!std::isfinite(value)) return "-";
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

} // namespace

double quantile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    auto const index = std::min(
        values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size()))
    );
    auto const at = values.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

namespace {

template <typename Model>
Report report_of(Model const& model, Window const& window, Duration counted) {
    auto found = delays(model, window);
    auto const& counts = model.counts();
    auto const peers = static_cast<double>(std::max<std::size_t>(model.alive().size(), 2) - 1);
    auto const time = in_s(counted);
    Report result;
    result.peers = model.alive().size() - 1;
    result.slot_use = model.slot_use();
    result.p50 = quantile(found.groups, 0.5);
    result.p99 = quantile(found.groups, 0.99);
    result.p999 = quantile(found.groups, 0.999);
    result.most = quantile(found.groups, 1);
    result.within_1 = share_within(found.groups, 1);
    result.within_2 = share_within(found.groups, 2);
    result.within_5 = share_within(found.groups, 5);
    result.on_time = share_within(found.groups, in_s(model.options().start_back));
    result.joined = share_within(found.joins, 1e9);
    result.unserved = static_cast<double>(found.unserved) /
                      static_cast<double>(std::max<std::size_t>(found.viewers, 1));
    result.join_p50 = quantile(found.joins, 0.5);
    result.join_p99 = quantile(found.joins, 0.99);
    result.first_p50 = quantile(found.firsts, 0.5);
    result.first_p95 = quantile(found.firsts, 0.95);
    result.late_after_first = static_cast<double>(std::ranges::count(found.is_late, true)) /
                              static_cast<double>(std::max<std::size_t>(found.is_late.size(), 1));
    auto const samples = static_cast<double>(std::max<std::uint64_t>(counts.hop_samples, 1));
    result.hops = static_cast<double>(counts.hops) / samples;
    result.most_hops = counts.most_hops;
    result.control = static_cast<double>(counts.control_bytes) / peers / time;
    result.control_packets = static_cast<double>(counts.control_packet_bytes) / peers / time;
    result.duplicates = static_cast<double>(counts.duplicates) /
                        static_cast<double>(std::max<std::uint64_t>(counts.blocks, 1));
    result.source_upload = static_cast<double>(counts.source_blocks) * model.block_bytes() / time /
                           model.options().rate;
    result.source_queue = in_s(counts.most_source_queue);
    result.source_answers = counts.source_answers;
    std::vector<double> reattached;
    for (auto const gap : counts.reattached)
        reattached.push_back(in_s(gap));
    result.reattach_p50 = quantile(reattached, 0.5);
    result.reattach_p90 = quantile(reattached, 0.9);
    result.reattach_p99 = quantile(reattached, 0.99);
    result.stepped_back = found.all > 0 ? found.absent / found.all : 0;
    result.lower_bound = bound(model);
    result.own_paths = counts.own_paths;
    result.age_error = in_s(counts.worst_age_error);
    return result;
}

} // namespace

Report report(SwarmModel const& model, Window const& window, Duration counted) {
    return report_of(model, window, counted);
}

Report report(RelayTree const& tree, Window const& window, Duration counted) {
    return report_of(tree, window, counted);
}

std::string to_json(Report const& r) {
    std::ostringstream text;
    auto const add = [&](char const* name, double value) {
        text << ", \"" << name << "\": ";
        if (std::isfinite(value))
            text << value;
        else
            text << "null";
    };
    text << "{\"scenario\": \"" << r.name << '"';
    add("peers", static_cast<double>(r.peers));
    add("slot_use", r.slot_use);
    add("p50", r.p50);
    add("p99", r.p99);
    add("p999", r.p999);
    add("max", r.most);
    add("within_1s", r.within_1);
    add("within_2s", r.within_2);
    add("within_5s", r.within_5);
    add("on_time", r.on_time);
    add("joined", r.joined);
    add("unserved", r.unserved);
    add("join_p50", r.join_p50);
    add("join_p99", r.join_p99);
    add("first_p50", r.first_p50);
    add("first_p95", r.first_p95);
    add("late_after_first", r.late_after_first);
    add("hops", r.hops);
    add("hops_max", static_cast<double>(r.most_hops));
    add("control_per_s", r.control);
    add("control_packets_per_s", r.control_packets);
    add("duplicates", r.duplicates);
    add("source_upload", r.source_upload);
    add("source_queue", r.source_queue);
    add("source_answers", static_cast<double>(r.source_answers));
    add("reattach_p50", r.reattach_p50);
    add("reattach_p90", r.reattach_p90);
    add("reattach_p99", r.reattach_p99);
    add("preemptions", r.preemptions);
    add("stepped_back", r.stepped_back);
    add("lower_bound", r.lower_bound);
    add("own_paths", static_cast<double>(r.own_paths));
    add("age_error", r.age_error);
    text << '}';
    return text.str();
}

std::string table_head() {
    return "| case | slot use | p50 s | p99 | p99.9 | max | <=1 s % | <=2 s % | <=5 s % | joined % "
           "| unserved % | join p50/p99 | hops avg/max | control B/s (with TCP/IP) | dup % | "
           "source xR / queue "
           "| reattach p50/p90/p99 | preempt /s | back % | LB s |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";
}

std::string to_row(Report const& r) {
    std::ostringstream text;
    text << "| " << r.name << " | " << number(r.slot_use, 3) << " | " << number(r.p50, 3) << " | "
         << number(r.p99, 3) << " | " << number(r.p999, 3) << " | " << number(r.most, 2) << " | "
         << number(100 * r.within_1, 2) << " | " << number(100 * r.within_2, 2) << " | "
         << number(100 * r.within_5, 3) << " | " << number(100 * r.joined, 1) << " | "
         << number(100 * r.unserved, 1) << " | " << number(r.join_p50, 2) << '/'
         << number(r.join_p99, 2) << " | " << number(r.hops, 2) << '/' << r.most_hops << " | "
         << number(r.control, 0) << " (" << number(r.control_packets, 0) << ") | "
         << number(100 * r.duplicates, 1) << " | " << number(r.source_upload, 2) << " / "
         << number(r.source_queue, 2) << " | " << number(r.reattach_p50, 2) << '/'
         << number(r.reattach_p90, 2) << '/' << number(r.reattach_p99, 2) << " | "
         << number(r.preemptions, 3) << " | " << number(100 * r.stepped_back, 1) << " | "
         << number(r.lower_bound, 3) << " |";
    return text.str();
}

} // namespace minuteswarm::simulation
