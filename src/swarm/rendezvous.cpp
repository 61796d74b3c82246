#include "swarm/rendezvous.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

// Most of the round trips over which TCP connects; who is behind a NAT loses that much at the
// start.
constexpr std::chrono::milliseconds tcp_patience{750};
// Two that were named to each other at once do not ask at once.
constexpr std::chrono::milliseconds most_more{500};
// The introduction takes two hops, the datagram that opens the way must have left before ours
// comes.
constexpr std::chrono::milliseconds introduction{250};
constexpr std::chrono::milliseconds between_tries{1500}; // the first is given up after a second
constexpr int most_tries = 2;

} // namespace

void Rendezvous::note_dialled(
    PeerEndpoint const& peer, NeighbourId introducer, MonotonicTime now, std::mt19937_64& random
) {
    auto const is_known =
        std::ranges::any_of(dials_, [&](auto const& dial) { return dial.next.peer == peer; });
    if (is_known || dials_.size() >= limits::awaited_dials) return;
    std::chrono::milliseconds const more{random() % most_more.count()};
    dials_.push_back({{Step::Kind::ask, peer, introducer}, now + tcp_patience + more});
}

void Rendezvous::forget(PeerEndpoint const& peer) {
    std::erase_if(dials_, [&](auto const& dial) { return dial.next.peer == peer; });
}

bool Rendezvous::note_introduced(PeerEndpoint const& peer) {
    auto const waits = [&](Dial const& dial) {
        return dial.next.peer == peer && dial.next.kind == Step::Kind::ask;
    };
    return std::erase_if(dials_, waits) > 0;
}

std::vector<Rendezvous::Step> Rendezvous::take_due(MonotonicTime now) {
    std::vector<Step> due;
    for (auto& dial : dials_) {
        if (now < dial.at) continue;
        due.push_back(dial.next);
        auto const is_asked = dial.next.kind == Step::Kind::connect;
        dial.at = now + (is_asked ? between_tries : introduction);
        dial.tries += is_asked ? 1 : 0;
        dial.next.kind = Step::Kind::connect;
    }
    std::erase_if(dials_, [](auto const& dial) { return dial.tries == most_tries; });
    return due;
}

} // namespace minuteswarm
