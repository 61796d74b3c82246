#include "simulation/relay_tree.hpp"

#include <algorithm>

namespace minuteswarm::simulation {
namespace {

using std::chrono::seconds;

// PeerCastStation's, where nothing else is said.
constexpr seconds connect_timeout{3};
constexpr seconds read_timeout{30};
constexpr seconds ignored_for{180};
constexpr seconds banned_for{90};
constexpr seconds host_lifetime{180};
constexpr seconds report_interval{120};
constexpr seconds ask_tracker_again{10}; // peercast-yt: MIN_TRACKER_RETRY
constexpr std::size_t hosts_named = 8;
constexpr std::uint8_t report_ttl = 11;

// Bytes, from the atoms' layouts: eight of name and size before each value.
constexpr std::size_t host_bytes = 213;    // the host atom with the channel's id
constexpr std::size_t report_bytes = 316;  // the same without it, in a broadcast atom
constexpr std::size_t request_bytes = 330; // GET with its headers, helo
constexpr std::size_t reply_bytes = 260;   // status line with its headers, oleh, ok or quit
constexpr std::size_t packet_frame = 40;   // TCP and IP
constexpr std::size_t dial_packets = 6;    // TCP's three, request, reply, its acknowledgement

double preference(RelayHost const& host) {
    return (host.has_room ? 2000.0 : 0.0) + 100.0 * std::max(10 - host.hops, 0) +
           10.0 * static_cast<double>(host.relays);
}

} // namespace

void RelayHosts::put(RelayHost const& host) {
    auto const [place, is_new] = places_.try_emplace(host.node, hosts_.size());
    if (is_new)
        hosts_.push_back(host);
    else
        hosts_[place->second] = host;
}

void RelayHosts::remove(NodeIndex node) {
    auto const found = places_.find(node);
    if (found == places_.end()) return;
    auto const place = found->second;
    places_.erase(found);
    if (place + 1 != hosts_.size()) {
        hosts_[place] = hosts_.back();
        places_[hosts_[place].node] = place;
    }
    hosts_.pop_back();
}

RelayHost const* RelayHosts::find(NodeIndex node) const {
    auto const found = places_.find(node);
    return found == places_.end() ? nullptr : &hosts_[found->second];
}

RelayTree::RelayTree(ModelOptions options)
    : options_(options)
    , random_(options.seed) {
    join(source_options(options));
    events_.after(options_.span, [this] { emit(); });
}

Duration RelayTree::delay(NodeIndex a, NodeIndex b) const {
    return simulation::delay(options_, {a, nodes_[a].options}, {b, nodes_[b].options});
}

std::size_t RelayTree::copies(TreeNode const& node) {
    auto const& options = node.options;
    return static_cast<std::size_t>(
        (options.claimed > 0 ? options.claimed : options.uplink) + 1e-9
    );
}

double RelayTree::slot_use() const {
    std::size_t used = 0;
    std::size_t all = 0;
    for (auto const index : alive_) {
        used += nodes_[index].children.size();
        all += copies(nodes_[index]);
    }
    return all == 0 ? 0 : static_cast<double>(used) / static_cast<double>(all);
}

void RelayTree::count_message(std::size_t bytes, std::size_t packets) {
    ++counts_.control_messages;
    counts_.control_bytes += bytes;
    counts_.control_packet_bytes += bytes + packets * packet_frame;
}

NodeIndex RelayTree::join(PeerOptions const& options) {
    auto const index = static_cast<NodeIndex>(nodes_.size());
    auto& node = nodes_.emplace_back();
    node.options = options;
    node.is_alive = true;
    node.joined = now();
    if (options.uplink > 0) {
        node.block_time = seconds_as_time(block_bytes() / (options.uplink * options_.rate));
    }
    alive_.push_back(index);
    if (index > 0) events_.after(tracker_time, [this, index] { search(index); });
    return index;
}

void RelayTree::join_at(MonotonicTime time, PeerOptions const& options) {
    events_.at(time, [this, options] { join(options); });
}

void RelayTree::kill(NodeIndex index, bool is_silent) {
    auto& node = nodes_[index];
    if (!node.is_alive) return;
    node.is_alive = false;
    node.left = now();
    node.leaves_silently = is_silent;
    std::erase(alive_, index);
    auto const gone = is_silent ? Duration{read_timeout} : Duration{};
    if (node.parent) {
        events_.after(gone + delay(index, *node.parent), [this, index, parent = *node.parent] {
            remove_child(parent, index);
        });
    }
    if (is_silent) return; // its children find out, see watch
    for (auto const& [child, queue] : node.children) {
        // Who goes in good order names its own parent.
        events_.after(delay(index, child), [this, index, child = child, parent = node.parent] {
            if (nodes_[child].parent != index) return;
            if (parent) nodes_[child].named.put({*parent, true, 0, 0, now()});
            lose_parent(child);
        });
    }
}

void RelayTree::search(NodeIndex index) {
    auto& node = nodes_[index];
    if (!node.is_alive || node.parent) return;
    auto const whom = choose(index);
    if (whom) return ask(index, *whom);
    node.ignored.clear();
    events_.after(ask_tracker_again, [this, index, attempt = node.attempt] {
        if (nodes_[index].attempt == attempt) search(index);
    });
}

std::optional<NodeIndex> RelayTree::choose(NodeIndex index) {
    auto const& node = nodes_[index];
    auto const is_ignored = [&](NodeIndex host) {
        auto const found = node.ignored.find(host);
        return host == index || (found != node.ignored.end() && found->second > now());
    };
    std::optional<NodeIndex> best;
    double most = -1;
    for (auto const& host : node.named.all()) {
        if (is_ignored(host.node) || now() - host.heard > host_lifetime) continue;
        auto const score =
            std::uniform_real_distribution<double>{0, 4000 + preference(host)}(random_);
        if (score <= most) continue;
        most = score;
        best = host.node;
    }
    if (!best && !is_ignored(0)) best = 0;
    return best;
}

void RelayTree::ask(NodeIndex index, NodeIndex whom) {
    auto const attempt = ++nodes_[index].attempt;
    auto const one_way = delay(index, whom);
    // TCP's round trip, and half of that of the request.
    events_.after(3 * one_way, [this, index, whom, attempt, one_way] {
        auto const& other = nodes_[whom];
        if (other.is_alive) return answer(whom, index, attempt);
        auto const wait = other.leaves_silently ? Duration{connect_timeout} : one_way;
        events_.after(wait, [this, index, whom, attempt] {
            if (nodes_[index].attempt != attempt) return;
            nodes_[index].ignored[whom] = now() + ignored_for;
            search(index);
        });
    });
}

bool RelayTree::is_child(NodeIndex index, NodeIndex parent) const {
    return std::ranges::any_of(nodes_[parent].children, [index](auto const& child) {
        return child.node == index;
    });
}

bool RelayTree::is_below(NodeIndex index, NodeIndex above) const {
    for (std::optional<NodeIndex> at = index; at; at = nodes_[*at].parent) {
        if (*at == above) return true;
    }
    return false;
}

bool RelayTree::makes_room(NodeIndex index) {
    auto const& node = nodes_[index];
    auto const all = copies(node);
    if (node.children.size() < all) return true;
    for (auto const& [child, queue] : node.children) {
        auto const* said = node.below.find(child);
        if (!said || said->has_room || said->relays > 0) continue;
        dismiss(index, child);
        return true;
    }
    return false;
}

std::vector<RelayHost> RelayTree::best_hosts(NodeIndex index, NodeIndex asker) {
    std::vector<std::pair<double, RelayHost const*>> found;
    for (auto const& host : nodes_[index].below.all()) {
        if (host.node == asker || now() - host.heard > host_lifetime) continue;
        auto const score = 2 * (host.has_room ? 2000.0 : 0.0) + preference(host) +
                           std::uniform_real_distribution<double>{0, 1}(random_);
        found.emplace_back(score, &host);
    }
    auto const count = std::min(found.size(), hosts_named);
    std::partial_sort(
        found.begin(),
        found.begin() + static_cast<std::ptrdiff_t>(count),
        found.end(),
        [](auto const& a, auto const& b) { return a.first > b.first; }
    );
    std::vector<RelayHost> best;
    for (std::size_t i = 0; i < count; ++i)
        best.push_back(*found[i].second);
    return best;
}

void RelayTree::answer(NodeIndex index, NodeIndex asker, std::uint64_t attempt) {
    auto& node = nodes_[index];
    auto const is_current = [this, asker, attempt] {
        return nodes_[asker].is_alive && nodes_[asker].attempt == attempt;
    };
    auto const banned = node.banned.find(asker);
    auto const is_banned = banned != node.banned.end() && banned->second > now();
    auto const has_stream = index == 0 || node.parent;
    if (has_stream && is_current() && !is_banned && !is_below(index, asker) && makes_room(index)) {
        count_message(request_bytes + reply_bytes, dial_packets);
        catch_up(index, node.children.emplace_back(RelayChild{asker, {}}));
        report(index);
        events_.after(delay(index, asker), [this, index, asker, is_current] {
            auto const is_taken = is_current() && is_child(asker, index);
            if (is_taken && !is_below(index, asker)) return attach(asker, index);
            remove_child(index, asker);
            if (is_current()) search(asker);
        });
        return;
    }
    auto const hosts = has_stream ? best_hosts(index, asker) : std::vector<RelayHost>{};
    count_message(request_bytes + reply_bytes + hosts.size() * host_bytes, dial_packets + 1);
    events_.after(delay(index, asker), [this, index, asker, is_current, hosts] {
        if (!is_current()) return;
        for (auto const& host : hosts)
            nodes_[asker].named.put(host);
        nodes_[asker].ignored[index] = now() + ignored_for;
        search(asker);
    });
}

void RelayTree::attach(NodeIndex index, NodeIndex parent) {
    auto& node = nodes_[index];
    node.parent = parent;
    node.fed = now();
    if (node.orphan_since) counts_.reattached.push_back(now() - *node.orphan_since);
    node.orphan_since.reset();
    report(index);
    report_again(index, node.attempt);
    watch(index, node.attempt);
}

/// A parent that sends nothing for as long as a read may take is given up.
void RelayTree::watch(NodeIndex index, std::uint64_t attempt) {
    auto const& node = nodes_[index];
    events_.at(node.fed + read_timeout, [this, index, attempt] {
        auto const& one = nodes_[index];
        if (!one.is_alive || one.attempt != attempt || !one.parent) return;
        if (now() - one.fed < read_timeout) return watch(index, attempt);
        auto const parent = *one.parent;
        events_.after(delay(index, parent), [this, parent, index] { remove_child(parent, index); });
        lose_parent(index);
    });
}

void RelayTree::lose_parent(NodeIndex index) {
    auto& node = nodes_[index];
    if (!node.is_alive || !node.parent) return;
    node.ignored[*node.parent] = now() + ignored_for;
    node.parent.reset();
    node.orphan_since = now();
    ++node.attempt;
    search(index);
}

void RelayTree::remove_child(NodeIndex index, NodeIndex child) {
    auto& node = nodes_[index];
    auto const is_back = nodes_[child].is_alive && nodes_[child].parent == index;
    if (!node.is_alive || is_back || !is_child(child, index)) return;
    std::erase_if(node.children, [child](auto const& one) { return one.node == child; });
    node.below.remove(child);
    report(index);
}

void RelayTree::dismiss(NodeIndex index, NodeIndex child) {
    auto& node = nodes_[index];
    ++dismissed_;
    std::erase_if(node.children, [child](auto const& one) { return one.node == child; });
    node.below.remove(child);
    node.banned[child] = now() + banned_for;
    auto const hosts = best_hosts(index, child);
    count_message(hosts.size() * host_bytes, 2);
    events_.after(delay(index, child), [this, index, child, hosts] {
        if (nodes_[child].parent != index) return;
        for (auto const& host : hosts)
            nodes_[child].named.put(host);
        lose_parent(child);
    });
}

void RelayTree::report(NodeIndex index) {
    auto const& node = nodes_[index];
    if (!node.is_alive || !node.parent) return;
    auto const has_room = node.children.size() < copies(node);
    pass_report(index, {index, has_room, 0, node.children.size(), {}});
}

void RelayTree::report_again(NodeIndex index, std::uint64_t attempt) {
    events_.after(report_interval, [this, index, attempt] {
        if (nodes_[index].attempt != attempt) return;
        report(index);
        report_again(index, attempt);
    });
}

void RelayTree::pass_report(NodeIndex from, RelayHost host) {
    if (!nodes_[from].parent || host.hops >= report_ttl) return;
    auto const to = *nodes_[from].parent;
    count_message(report_bytes, 1);
    events_.after(delay(from, to), [this, to, host]() mutable {
        if (!nodes_[to].is_alive) return;
        host.heard = now();
        nodes_[to].below.put(host);
        ++host.hops;
        pass_report(to, host);
    });
}

} // namespace minuteswarm::simulation
