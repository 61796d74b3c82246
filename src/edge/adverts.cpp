#include "edge/adverts.hpp"

#include "edge/wire_size.hpp"

#include <iterator>

namespace minuteswarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds busy_period{100};     // between two adverts when one of the two searches
constexpr milliseconds progress_period{250}; // of newest groups only, to one that searches
constexpr seconds settled_period{1};
constexpr seconds narrow_period{5};                 // at most, to and from a source of few stripes
constexpr milliseconds age_change{60};              // that is worth bytes
constexpr double packet_bytes = packet_headers + 6; // and framing, around an advert
constexpr double burst_seconds = 3;                 // of the control budget: a crowd that joins
constexpr seconds given_up{6};                      // a group older than that is nobody's hope

std::uint8_t saturated(std::size_t value) {
    return static_cast<std::uint8_t>(std::min<std::size_t>(value, UINT8_MAX));
}

bool is_structural(StripeAdvert const& a, StripeAdvert const& b) {
    return a.is_flowing != b.is_flowing || a.is_home != b.is_home || a.is_relay != b.is_relay ||
           a.need != b.need;
}

bool is_worth_telling(StripeAdvert const& a, StripeAdvert const& b) {
    auto const later = a.age > b.age ? a.age - b.age : b.age - a.age;
    auto const behind = a.behind > b.behind ? a.behind - b.behind : b.behind - a.behind;
    return is_structural(a, b) || later >= std::max(age_change, b.age / 5) || behind > 2;
}

double budget(SubscriptionOptions const& options) {
    auto const share =
        static_cast<double>(options.bitrate) / 8 * limits::edge_control_percent / 100;
    return std::max(share, static_cast<double>(limits::edge_control_floor));
}

double bytes_of(AdvertMessage const& advert) {
    return packet_bytes + 10 + 3 * static_cast<double>(advert.stripes.size());
}

} // namespace

Adverts::Adverts(
    EdgeNode& node, Parents const& parents, Children const& children, MonotonicTime start
)
    : node_(node)
    , parents_(parents)
    , children_(children)
    , said_(node.options.total())
    , credit_(burst_seconds * budget(node.options))
    , credited_(start) {
    for (StripeIndex s; s.value < said_.size(); ++s)
        said_[s.value].stripe = s;
}

Duration Adverts::period() const {
    auto const size = packet_bytes + 12 + 1.5 * node_.options.total();
    auto const bytes = size * static_cast<double>(node_.neighbours.size());
    auto const fitting = std::chrono::duration<double>{bytes / budget(node_.options)};
    return std::max<Duration>(settled_period, std::chrono::duration_cast<Duration>(fitting));
}

void Adverts::learn(Acquaintance& of, AdvertMessage const& advert, MonotonicTime now) const {
    of.last_advert = now;
    of.has_advert = true;
    of.newest = advert.newest;
    auto const back = std::min<std::uint64_t>(advert.incomplete, advert.newest.value);
    of.rebuilt =
        advert.incomplete == UINT8_MAX ? GroupNumber{} : GroupNumber{advert.newest.value - back};
    of.slots = advert.slots;
    of.spare = advert.spare;
    if (!advert.entries.empty()) of.entries = advert.entries;
    of.is_searching = advert.is_searching;
    of.is_stepped_back = advert.is_stepped_back;
    of.chose_us = advert.is_directed;
    for (auto const& stripe : advert.stripes) {
        if (stripe.stripe.value >= of.stripes.size()) continue;
        of.stripes[stripe.stripe.value].claim = stripe;
        auto const bit = mask_of(stripe.stripe);
        of.homes = stripe.is_home ? of.homes | bit : of.homes & ~bit;
        of.flowing = stripe.is_flowing ? of.flowing | bit : of.flowing & ~bit;
    }
}

StripeAdvert
Adverts::describe(StripeIndex stripe, GroupWindow const& groups, MonotonicTime now) const {
    StripeAdvert advert;
    advert.stripe = stripe;
    advert.is_flowing = has(node_.flowing, stripe);
    advert.is_home = has(node_.homes, stripe);
    advert.is_relay = has(node_.relays, stripe);
    advert.need = advert.is_flowing ? children_.need(stripe, now) : StripeAdvert::nobody;
    if (node_.options.is_source()) {
        advert.hops = 0;
        advert.behind = 0;
        return advert;
    }
    if (!advert.is_flowing) return advert;
    auto const newest = parents_.newest(stripe);
    auto const path = parents_.path(stripe);
    advert.hops = static_cast<std::uint8_t>(path.size() - 1);
    auto const behind = groups.newest() > newest ? groups.newest().value - newest.value : 0;
    advert.behind =
        static_cast<std::uint8_t>(std::min<std::uint64_t>(behind, StripeAdvert::most_behind));
    auto const age = std::chrono::duration_cast<milliseconds>(parents_.age(stripe));
    advert.age = std::clamp<milliseconds>(age, milliseconds{0}, StripeAdvert::most_age) /
                 StripeAdvert::age_unit * StripeAdvert::age_unit;
    return advert;
}

void Adverts::look_for_changes(GroupWindow const& groups, MonotonicTime now) {
    StripeMask changed = 0;
    bool is_news = false;
    for (StripeIndex s; s.value < said_.size(); ++s) {
        auto const is = describe(s, groups, now);
        auto& said = said_[s.value];
        if (!is_worth_telling(is, said)) continue;
        is_news = is_news || is_structural(is, said);
        said = is;
        changed |= mask_of(s);
    }
    newest_ = groups.newest();
    incomplete_ = node_.options.is_source() ? std::uint8_t{0} : groups.incomplete(now, given_up);
    if (changed == 0) return;
    for (auto& [id, neighbour] : node_.neighbours) {
        neighbour.untold |= changed;
        neighbour.is_news = neighbour.is_news || is_news;
    }
}

bool Adverts::is_due(Acquaintance const& to, Duration period, MonotonicTime now) const {
    auto const since = now - to.told;
    if (since >= period) return true;
    // Which slots the source has free is everybody's concern.
    if (!to.is_searching && !node_.is_searching && !node_.options.is_source()) return false;
    auto const least = node_.is_terse(to) ? Duration{node_.options.span} : Duration{};
    if (to.is_news && since >= std::max<Duration>(busy_period, least)) return true;
    return to.is_searching && since >= std::max<Duration>(progress_period, least);
}

void Adverts::tell(NeighbourId id, Acquaintance& to, MonotonicTime now, bool is_first) {
    AdvertMessage advert;
    advert.newest = newest_;
    advert.slots = saturated(node_.slots);
    auto const free = node_.slots - std::min(children_.used(), node_.slots);
    advert.spare = node_.is_held_up ? std::uint8_t{0} : saturated(free);
    advert.incomplete = incomplete_;
    advert.is_searching = node_.is_searching;
    advert.is_directed = to.peer.is_directed;
    advert.is_stepped_back = node_.is_stepped_back || node_.is_on_trial;
    for (auto const& stripe : said_) {
        if (has(to.untold, stripe.stripe)) advert.stripes.push_back(stripe);
    }
    if (is_first) {
        for (auto const entry : node_.entries) {
            if (entry <= newest_) advert.entries.push_back(entry);
        }
    }
    credit_ -= bytes_of(advert);
    to.untold = 0;
    to.is_news = false;
    to.told = now;
    node_.send(id, std::move(advert));
}

void Adverts::introduce(NeighbourId to, GroupWindow const& groups, MonotonicTime now) {
    auto* neighbour = node_.find(to);
    if (!neighbour) return;
    look_for_changes(groups, now);
    neighbour->untold = node_.all_stripes();
    tell(to, *neighbour, now, true);
}

void Adverts::tick(GroupWindow const& groups, MonotonicTime now) {
    auto const rate = budget(node_.options);
    auto const since = std::chrono::duration<double>(now - credited_).count();
    credit_ = std::min(credit_ + rate * since, burst_seconds * rate);
    credited_ = now;
    look_for_changes(groups, now);
    if (node_.neighbours.empty()) return;
    // In turns, so that a short budget does not always miss the same ones.
    auto const size = node_.neighbours.size();
    auto next = std::next(node_.neighbours.begin(), static_cast<std::ptrdiff_t>(turn_++ % size));
    auto const settled = period();
    for (std::size_t i = 0; i < size; ++i) {
        auto const is_root = next->second.peer.is_source && parents_.is_any_parent(next->first);
        auto const may_tell = is_root || credit_ > 0;
        auto const slowly = node_.is_terse(next->second)
                                ? std::max(settled, std::min<Duration>(3 * settled, narrow_period))
                                : settled;
        auto const at_least = is_root ? node_.options.root_period() : slowly;
        if (may_tell && is_due(next->second, at_least, now)) tell(next->first, next->second, now);
        if (++next == node_.neighbours.end()) next = node_.neighbours.begin();
    }
}

} // namespace minuteswarm
