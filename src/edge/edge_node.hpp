#pragma once

#include "base/time.hpp"
#include "edge/edge_actions.hpp"
#include "edge/edge_parameters.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace minuteswarm {

/// What is known when a node's live edge begins.
struct SubscriptionOptions {
    NodeId self;
    NodeId source;
    std::uint8_t stripes = 8; ///< K
    std::uint8_t parity = 1;  ///< M
    std::chrono::milliseconds span{250};
    std::uint64_t bitrate = 4'000'000; ///< bits per second of the stream
    std::size_t slots = 0;             ///< copies of a stripe that the uplink carries
    bool is_uplink_known = true;       ///< or else slots are where measuring it begins
    Duration start_back{};             ///< how far behind the newest group to begin

    [[nodiscard]] bool is_source() const { return self == source; }
    /// Radio has fewer: in the bench more came late to listeners that kept a parent that was stuck,
    /// took one that was catching up and asked for more of what was missing.
    [[nodiscard]] bool has_many_stripes() const { return has_many(stripes); }
    /// Between signs of life that the source's children give it. Each costs it an acknowledgement,
    /// which a modem line feels.
    [[nodiscard]] Duration root_period() const {
        return std::max<Duration>(std::chrono::milliseconds{300}, span);
    }
    [[nodiscard]] std::uint8_t total() const { return static_cast<std::uint8_t>(stripes + parity); }
};

/// What is known of a neighbour when it comes.
struct EdgeNeighbour {
    NodeId node;
    Duration delay{}; ///< half the round trip
    bool is_source = false;
    bool is_directed = false; ///< this node connected to it for its homes
};

/// A neighbour as the policy sees it: what it said, which is a hint, and what came of it.
struct Acquaintance {
    struct Stripe {
        StripeAdvert claim;
        MonotonicTime retry_at{};               ///< no request before
        std::optional<MonotonicTime> fed_since; ///< as a child that has gone by its own will
        MonotonicTime fed_until{};
        MonotonicTime lacked_at{};  ///< the last time that it said so, or that it comes too late
        unsigned made_up_for = 0;   ///< times that it was sent what an outage held up
        MonotonicTime hurried_at{}; ///< was sent what it had missed before others' new blocks
    };
    EdgeNeighbour peer;
    MonotonicTime entered{};
    MonotonicTime last_heard{};
    MonotonicTime last_advert{};
    bool has_advert = false;
    bool is_searching = false;
    bool is_stepped_back = false;
    bool chose_us = false; ///< it connected for this node's homes
    GroupNumber newest;
    GroupNumber rebuilt;
    MonotonicTime ask_again{};    ///< for single blocks; not before
    MonotonicTime silent_until{}; ///< asked for such it did not answer: others first
    std::uint8_t slots = 0;
    std::uint8_t spare = 0;
    StripeMask homes = 0;
    StripeMask flowing = 0;
    std::vector<Stripe> stripes;
    std::vector<GroupNumber> entries; ///< random access points, newest first, as of its coming

    int failures = 0; ///< subscriptions that brought nothing, lately
    MonotonicTime distrusted_until{};
    Duration bias{}; ///< how much later than it says its blocks come

    StripeMask untold = 0; ///< stripes that changed since the last advert to it
    bool is_news = false;  ///< one of these changes matters at once
    MonotonicTime told{};

    [[nodiscard]] StripeAdvert const& claim(StripeIndex stripe) const {
        return stripes[stripe.value].claim;
    }
    [[nodiscard]] std::size_t fanout() const {
        auto const most = std::size_t{64}; // a claim beyond that would rule every supply
        return homes == 0 ? 0 : std::min<std::size_t>(slots, most) / count(homes);
    }
};

/// What the parts of one node's subscription policy share.
struct EdgeNode {
    /// Slots of an uplink that is not known: so many times what is taken for granted.
    static constexpr std::size_t most_measured = 2;
    EdgeNode(SubscriptionOptions given, std::mt19937_64& generator)
        : options(given)
        , random(generator)
        , slots(given.slots) {}

    SubscriptionOptions options;
    std::mt19937_64& random;
    std::map<NeighbourId, Acquaintance> neighbours;
    std::vector<EdgeAction> actions;

    std::size_t slots;    ///< of options.slots what lagging behind has left, or what was measured
    Duration queue{};     ///< how long the uplink needs for what waits
    StripeMask homes = 0; ///< stripes this node means to have many children in
    StripeMask flowing = 0;
    StripeMask feeding = 0;  ///< stripes with a child
    StripeMask relays = 0;   ///< stripes with two children or more
    bool has_room = false;   ///< two slots are free
    bool is_held_up = false; ///< by blocks of an outage: takes no more children
    bool is_stepped_back = false;
    /// Came back, or came and brings less than it takes, and is not fed yet: those who are go
    /// first.
    bool is_on_trial = false;
    bool is_searching = false;
    MonotonicTime searching_since{};
    std::optional<GroupNumber> newest; ///< of any stripe
    MonotonicTime newest_at{};
    MonotonicTime resumed_at{}; ///< the stream, after an outage
    bool is_making_up = false;  ///< for it: blocks leave in the order of their groups
    std::optional<MonotonicTime> making_up_since; ///< the last time
    MonotonicTime hurries_until{}; ///< began near the newest group: whatever is missing, it waits
    std::vector<GroupNumber>
        entries; ///< the newest groups with a random access point, newest first

    [[nodiscard]] Acquaintance* find(NeighbourId id) {
        auto const found = neighbours.find(id);
        return found == neighbours.end() ? nullptr : &found->second;
    }
    [[nodiscard]] Acquaintance const* find(NeighbourId id) const {
        auto const found = neighbours.find(id);
        return found == neighbours.end() ? nullptr : &found->second;
    }
    /// Between the source of a stream of few stripes, such as radio, and another: each word takes
    /// of the stream.
    [[nodiscard]] bool is_terse(Acquaintance const& to) const {
        return (to.peer.is_source || options.is_source()) && !options.has_many_stripes();
    }
    [[nodiscard]] StripeMask all_stripes() const { return first_stripes(options.total()); }
    [[nodiscard]] std::size_t fanout() const { return homes == 0 ? 0 : slots / count(homes); }
    /// Whether groups are rebuilt without this stripe.
    [[nodiscard]] bool is_luxury(StripeIndex stripe, StripeMask of_flowing) const {
        return count(of_flowing & ~mask_of(stripe)) >= options.stripes;
    }
    void make_up(MonotonicTime now) {
        if (!std::exchange(is_making_up, true)) making_up_since = now;
    }
    /// Neighbours may be behind still.
    [[nodiscard]] bool is_after_outage(MonotonicTime now) const {
        return making_up_since && now - *making_up_since <= longest_making_up;
    }
    static constexpr Duration longest_making_up = limits::edge_urgent_wait;
    void note_entry(GroupNumber group) {
        auto const at = std::ranges::lower_bound(entries, group, std::ranges::greater{});
        if (at != entries.end() && *at == group) return;
        entries.insert(at, group);
        if (entries.size() > limits::edge_entries) entries.pop_back();
    }
    /// Random access points that neighbours know of, newest first.
    [[nodiscard]] std::vector<GroupNumber> known_entries() const {
        std::vector<GroupNumber> known;
        for (auto const& [id, neighbour] : neighbours)
            known.insert(known.end(), neighbour.entries.begin(), neighbour.entries.end());
        std::ranges::sort(known, std::ranges::greater{});
        auto const repeated = std::ranges::unique(known);
        known.erase(repeated.begin(), repeated.end());
        return known;
    }
    void send(NeighbourId to, SubscriptionMessage message) {
        actions.emplace_back(SendSubscription{to, std::move(message)});
    }
    double random_real(double from, double to) {
        return std::uniform_real_distribution<double>{from, to}(random);
    }
    Duration random_time(Duration from, Duration to) {
        return Duration{
            std::uniform_int_distribution<Duration::rep>{from.count(), to.count()}(random)};
    }
    /// Neighbours with uplink to spare that have all from a group on, as they say.
    [[nodiscard]] std::vector<NeighbourId> helpers(GroupNumber first) const {
        std::vector<NeighbourId> found;
        for (auto const& [id, neighbour] : neighbours) {
            if (neighbour.peer.is_source || !neighbour.has_advert || neighbour.spare == 0) continue;
            if (neighbour.is_stepped_back || neighbour.entries.empty()) continue;
            if (neighbour.entries.back() <= first) found.push_back(id);
        }
        return found;
    }
    /// Whether there are enough of them for a joiner's first seconds.
    [[nodiscard]] bool has_help(std::vector<NeighbourId> const& helpers) const {
        constexpr std::size_t least = 4;
        std::size_t spare = 0;
        for (auto const id : helpers)
            spare += std::min<std::size_t>(find(id)->spare, most_help_of_one);
        return helpers.size() >= least && spare >= std::size_t{2} * options.stripes;
    }
    static constexpr std::size_t most_help_of_one = 8;  ///< slots to spare, whatever it claims
    static constexpr std::uint64_t settling_groups = 2; ///< newest ones, which few have as a whole
    /// As far as half of the neighbours are by now that have anything: one alone may claim any
    /// number.
    [[nodiscard]] GroupNumber usual_newest(MonotonicTime now) const {
        std::vector<GroupNumber> found;
        for (auto const& [id, neighbour] : neighbours) {
            if (neighbour.newest.value > 0) found.push_back(expected_newest(neighbour, now));
        }
        if (found.empty()) return {};
        auto const middle = found.begin() + static_cast<std::ptrdiff_t>((found.size() - 1) / 2);
        std::ranges::nth_element(found, middle);
        return *middle;
    }
    /// The newest group that a neighbour has by now, if it went on as it did.
    [[nodiscard]] GroupNumber expected_newest(Acquaintance const& of, MonotonicTime now) const {
        auto const since = std::min<Duration>(now - of.last_advert, std::chrono::seconds{4});
        return of.newest + static_cast<std::uint64_t>(since / options.span);
    }
};

/// Which slots a request may take: a higher class may preempt a lower one.
namespace child_class {

inline constexpr std::uint8_t luxury = 0;
inline constexpr std::uint8_t luxury_at_home = 1;
inline constexpr std::uint8_t without_uplink = 2;
inline constexpr std::uint8_t needy = 3;
inline constexpr std::uint8_t needy_at_home = 4;
inline constexpr std::uint8_t relay = 5;
inline constexpr std::uint8_t home = 6;

/// `at_home`: the parent is the source or a home of the stripe.
constexpr std::uint8_t of(SubscribeMessage const& request, bool at_home) {
    if (request.is_home) return at_home ? home : relay;
    if (request.is_relay || request.is_adopt) return relay;
    if (!request.is_needy) return at_home ? luxury_at_home : luxury;
    if (!request.has_uplink) return without_uplink;
    return at_home ? needy_at_home : needy;
}

} // namespace child_class

} // namespace minuteswarm
