#include "swarm/neighbourhood.hpp"

#include <algorithm>
#include <iterator>

namespace minuteswarm {
namespace {

constexpr std::chrono::seconds alive_for{60};
constexpr unsigned asks_source = 12; // one question in so many: after an outage it alone has all
constexpr std::uint64_t follower_memory =
    4; // chunks: one that joined none of the last four has gone
constexpr std::size_t enough_without_source = 1;
constexpr std::size_t expected_peers = 32;
constexpr Duration shortest_redial = std::chrono::seconds{1};
constexpr Duration longest_redial = std::chrono::seconds{30};
constexpr Duration longest_alone = std::chrono::seconds{10};
constexpr int redial_share = 4;           // of the time without news
constexpr std::size_t few_neighbours = 3; // a third of those that are wanted

template <class T>
void keep_some(std::vector<T>& all, std::size_t most, std::mt19937_64& random) {
    std::shuffle(all.begin(), all.end(), random);
    if (all.size() > most) all.resize(most);
}

/// For a chunk: those swarms have TCP only.
bool can_be_dialled(Neighbour const& neighbour) {
    return neighbour.endpoint.port != 0 && !neighbour.is_over_utp;
}

bool is_joining(HaveMessage::State state) {
    return state != HaveMessage::State::complete;
}

} // namespace

Neighbourhood::Entry Neighbourhood::enter(NeighbourId id, Neighbour neighbour, MonotonicTime now) {
    if (neighbour.session == options_.self) return Entry::self;
    if (bans_.is_banned(neighbour.endpoint.address, neighbour.session, now)) return Entry::banned;
    for (auto const& [other, known] : neighbours_) {
        if (other == id || known.session != neighbour.session) continue;
        if (known.is_source || !neighbour.claims_source) return Entry::duplicate;
    }
    if (neighbours_.size() >= options_.room.most) return Entry::full;
    neighbour.last_heard = now;
    neighbours_.insert_or_assign(id, std::move(neighbour));
    return Entry::accepted;
}

/// A source that has come back from elsewhere may have proven itself before its old link ended.
void Neighbourhood::leave(NeighbourId id) {
    neighbours_.erase(id);
    auto const source =
        std::ranges::find_if(neighbours_, [](auto const& entry) { return entry.second.is_source; });
    if (source != neighbours_.end()) source_ = source->second.endpoint;
}

std::vector<NeighbourId> Neighbourhood::note_source(NeighbourId id) {
    std::vector<NeighbourId> others;
    auto const found = neighbours_.find(id);
    if (found == neighbours_.end()) return others;
    auto const is_first =
        std::ranges::none_of(neighbours_, [](auto const& entry) { return entry.second.is_source; });
    found->second.is_source = true;
    if (is_first) source_ = found->second.endpoint;
    for (auto const& [other, known] : neighbours_) {
        if (other != id && known.session == found->second.session) others.push_back(other);
    }
    return others;
}

Neighbour const* Neighbourhood::find(NeighbourId id) const {
    auto const found = neighbours_.find(id);
    return found == neighbours_.end() ? nullptr : &found->second;
}

void Neighbourhood::heard(NeighbourId id, MonotonicTime now) {
    if (auto const found = neighbours_.find(id); found != neighbours_.end()) {
        found->second.last_heard = now;
    }
}

bool Neighbourhood::strike(NeighbourId id, MonotonicTime now) {
    auto const found = neighbours_.find(id);
    if (found == neighbours_.end()) return true;
    if (++found->second.strikes < limits::strikes) return false;
    ban(found->second.endpoint.address, found->second.session, now);
    return true;
}

void Neighbourhood::ban(PeerAddress const& address, SessionId const& session, MonotonicTime now) {
    bans_.add(address, session, now);
}

void Neighbourhood::expect(PeerEndpoint const& endpoint) {
    std::erase(expected_, endpoint);
    expected_.push_back(endpoint);
    if (expected_.size() > expected_peers) expected_.pop_front();
}

bool Neighbourhood::welcome(PeerEndpoint const& dialled) {
    if (std::erase(expected_, dialled) > 0) return true;
    // Whoever once was at the source's goes there for a reason only.
    auto const wanted = dialled == source_ ? 1 : options_.room.wanted;
    return neighbours_.size() < wanted;
}

bool Neighbourhood::knows(NeighbourId id, Signature const& statement) const {
    auto const* neighbour = find(id);
    return neighbour && neighbour->knows.contains(statement);
}

void Neighbourhood::note_knows(NeighbourId id, Signature const& statement) {
    auto const found = neighbours_.find(id);
    if (found == neighbours_.end()) return;
    auto& neighbour = found->second;
    if (!neighbour.knows.insert(statement).second) return;
    neighbour.knows_oldest_first.push_back(statement);
    if (neighbour.knows_oldest_first.size() > limits::known_per_neighbour) {
        neighbour.knows.erase(neighbour.knows_oldest_first.front());
        neighbour.knows_oldest_first.pop_front();
    }
}

std::vector<NeighbourId> Neighbourhood::push_targets(
    Signature const& statement,
    std::optional<ChunkId> chunk,
    Tree const& tree,
    std::size_t fanout,
    std::mt19937_64& random
) const {
    std::vector<NeighbourId> children;
    std::vector<NeighbourId> targets;
    for (auto const& [id, neighbour] : neighbours_) {
        auto const announced = chunk && neighbour.announced.contains(*chunk);
        if (chunk && neighbour.is_source) continue; // all records are its own
        if (announced || neighbour.knows.contains(statement) || tree.others.contains(id)) continue;
        (tree.children.contains(id) ? children : targets).push_back(id);
    }
    keep_some(targets, fanout, random);
    targets.insert(targets.end(), children.begin(), children.end());
    return targets;
}

void Neighbourhood::on_have(NeighbourId id, HaveMessage const& have) {
    auto const found = neighbours_.find(id);
    if (found == neighbours_.end()) return;
    auto& announced = found->second.announced;
    announced.insert_or_assign({have.event, have.rendition, have.number}, have.state);
    if (announced.size() > limits::announced_per_neighbour) announced.erase(announced.begin());
}

bool Neighbourhood::brought(Neighbour const& neighbour, ChunkId const& chunk) {
    return std::ranges::any_of(neighbour.held, [&](auto const& range) {
        return range.event == chunk.event && range.rendition == chunk.rendition &&
               range.first <= chunk.number && chunk.number <= range.last;
    });
}

bool Neighbourhood::may_have(Neighbour const& neighbour, ChunkId const& chunk) {
    return neighbour.announced.contains(chunk) || brought(neighbour, chunk);
}

bool Neighbourhood::is_held(ChunkId const& chunk) const {
    return std::ranges::any_of(neighbours_, [&](auto const& entry) {
        auto const announced = entry.second.announced.find(chunk);
        auto const is_complete = announced != entry.second.announced.end() &&
                                 announced->second == HaveMessage::State::complete;
        return is_complete || brought(entry.second, chunk);
    });
}

std::optional<ChunkNumber>
Neighbourhood::first_held(EventId event, RenditionId rendition, ChunkNumber last) const {
    std::optional<ChunkNumber> first;
    for (auto const& [id, neighbour] : neighbours_) {
        for (auto const& range : neighbour.held) {
            if (range.event != event || range.rendition != rendition || range.first > last)
                continue;
            if (!first || range.first < *first) first = range.first;
        }
    }
    return first;
}

bool Neighbourhood::follows(Neighbour const& neighbour, ChunkId const& chunk) const {
    auto const oldest =
        chunk.number.value > follower_memory ? chunk.number.value - follower_memory : 0;
    auto entry = neighbour.announced.lower_bound({chunk.event, chunk.rendition, {oldest}});
    for (; entry != neighbour.announced.end() && entry->first < chunk; ++entry) {
        if (is_joining(entry->second)) return true;
    }
    return false;
}

std::vector<NeighbourId>
Neighbourhood::dial_targets(ChunkId const& chunk, std::size_t most, std::mt19937_64& random) const {
    std::vector<NeighbourId> targets;
    std::vector<NeighbourId> sources;
    std::size_t expected = 0; // those that will dial us
    for (auto const& [id, neighbour] : neighbours_) {
        auto const announced = neighbour.announced.find(chunk);
        auto const says_dials = announced != neighbour.announced.end() &&
                                announced->second == HaveMessage::State::joining_dialling;
        auto const follower = follows(neighbour, chunk);
        auto const higher = neighbour.session > options_.self;
        if (says_dials || (follower && higher && announced == neighbour.announced.end())) {
            ++expected;
            continue;
        }
        if (!can_be_dialled(neighbour) || !(may_have(neighbour, chunk) || follower)) continue;
        auto const told = announced != neighbour.announced.end();
        (neighbour.is_source && !told ? sources : targets).push_back(id);
    }
    keep_some(targets, most, random);
    if (targets.size() + expected < enough_without_source) {
        targets.insert(targets.end(), sources.begin(), sources.end());
    }
    return targets;
}

std::vector<NeighbourId> Neighbourhood::holders(ChunkId const& chunk, bool with_source) const {
    std::vector<NeighbourId> found;
    std::vector<NeighbourId> sources;
    for (auto const& [id, neighbour] : neighbours_) {
        if (!can_be_dialled(neighbour)) continue;
        if (neighbour.is_source) {
            sources.push_back(id);
        } else if (may_have(neighbour, chunk) || follows(neighbour, chunk)) {
            found.push_back(id);
        }
    }
    if (with_source || found.empty()) found.insert(found.end(), sources.begin(), sources.end());
    if (!found.empty()) return found;
    // Nobody said so; but who came here before it had checked its archive could not say it.
    for (auto const& [id, neighbour] : neighbours_) {
        if (can_be_dialled(neighbour)) found.push_back(id);
    }
    return found;
}

bool Neighbourhood::should_dial_later(NeighbourId id, HaveMessage::State state) const {
    auto const* neighbour = find(id);
    if (!neighbour || !can_be_dialled(*neighbour)) return false;
    if (state == HaveMessage::State::joining_dialling) return false;
    return state == HaveMessage::State::complete || neighbour->session < options_.self;
}

bool Neighbourhood::should_dial_newcomer(NeighbourId id, ChunkId const& chunk) const {
    auto const* neighbour = find(id);
    return neighbour && can_be_dialled(*neighbour) && !neighbour->claims_source &&
           may_have(*neighbour, chunk);
}

bool Neighbourhood::has_source() const {
    return std::ranges::any_of(neighbours_, [](auto& entry) { return entry.second.is_source; });
}

std::optional<Duration> Neighbourhood::redial_interval(Duration still, unsigned dials) const {
    auto const in_vain = shortest_redial * (1U << std::min(dials, 5U));
    if (neighbours_.empty()) return std::min<Duration>(in_vain, longest_alone);
    if (has_source()) return longest_redial;
    auto const is_alright = neighbours_.size() >= options_.room.wanted / few_neighbours;
    if (is_alright && still == Duration{}) return std::nullopt;
    // A source that was here once may come back.
    auto const least = source_ ? Duration{} : in_vain;
    auto const since_news = std::max<Duration>(still / redial_share, least);
    return std::clamp<Duration>(since_news, 2 * shortest_redial, longest_redial);
}

std::vector<NeighbourId> Neighbourhood::rather_than_source(std::vector<NeighbourId> all) const {
    auto const is_source = [this](NeighbourId id) { return neighbours_.at(id).is_source; };
    if (!std::ranges::all_of(all, is_source)) std::erase_if(all, is_source);
    return all;
}

std::optional<NeighbourId> Neighbourhood::one_to_ask(std::mt19937_64& random) const {
    std::vector<NeighbourId> all;
    for (auto const& [id, neighbour] : neighbours_)
        all.push_back(id);
    if (random() % asks_source != 0) all = rather_than_source(std::move(all));
    if (all.empty()) return std::nullopt;
    auto const source =
        std::ranges::find_if(all, [this](NeighbourId id) { return neighbours_.at(id).is_source; });
    if (source != all.end()) return *source;
    return all[random() % all.size()];
}

std::vector<NeighbourId> Neighbourhood::announcers(ChunkId const& chunk) const {
    std::vector<NeighbourId> found;
    for (auto const& [id, neighbour] : neighbours_) {
        if (neighbour.announced.contains(chunk)) found.push_back(id);
    }
    return rather_than_source(std::move(found));
}

std::vector<NeighbourId> Neighbourhood::first_receivers(std::size_t most) {
    std::vector<NeighbourId> chosen;
    auto next = neighbours_.upper_bound(last_receiver_);
    for (std::size_t seen = 0; seen < neighbours_.size() && chosen.size() < most; ++seen, ++next) {
        if (next == neighbours_.end()) next = neighbours_.begin();
        if (!next->second.is_source) chosen.push_back(next->first);
    }
    if (!chosen.empty()) last_receiver_ = chosen.back();
    return chosen;
}

PeersMessage
Neighbourhood::peers_for(NeighbourId to, MonotonicTime now, std::mt19937_64& random) const {
    PeersMessage message;
    std::optional<PeerEndpoint> source;
    for (auto const& [id, neighbour] : neighbours_) {
        auto const is_alive = now - neighbour.last_heard <= alive_for;
        if (id == to || neighbour.endpoint.port == 0 || !is_alive) continue;
        if (neighbour.is_source)
            source = neighbour.endpoint;
        else
            message.peers.push_back({neighbour.endpoint, 0});
    }
    // To name it would send everybody there; but who knows nobody else may lose all.
    if (message.peers.empty() && source) message.peers.push_back({*source, 0});
    keep_some(message.peers, std::min(limits::peers_per_message, options_.room.wanted), random);
    return message;
}

void add_held(std::vector<ChannelHandshake::HeldRange>& held, ChunkId const& chunk) {
    auto const after =
        std::ranges::upper_bound(held, chunk.number, {}, &ChannelHandshake::HeldRange::first);
    auto const follows = after != held.begin() && std::prev(after)->last.next() >= chunk.number;
    auto const precedes = after != held.end() && after->first == chunk.number.next();
    if (follows) {
        auto const before = std::prev(after);
        before->last = std::max(before->last, precedes ? after->last : chunk.number);
        if (precedes) held.erase(after);
    } else if (precedes) {
        after->first = chunk.number;
    } else {
        held.insert(after, {chunk.event, chunk.rendition, chunk.number, chunk.number});
    }
}

} // namespace minuteswarm
