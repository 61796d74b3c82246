#include "edge/link_room.hpp"

#include "edge/edge_node.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::size_t newcomers = 4;          // that have not been tried yet
constexpr std::size_t directed_newcomers = 6; // that come for a home
constexpr std::size_t future_roots = 8;       // that come to the source to be some
constexpr std::size_t links_per_root = 4;     // of the source: who may take over is there already

} // namespace

LinkRoom link_room(SubscriptionOptions const& options, std::size_t slots) {
    LinkRoom room;
    auto const total = std::size_t{options.total()};
    if (options.is_source()) {
        auto const most = std::max(links_per_root * total + future_roots, slots + newcomers);
        room.most = std::min(most, limits::source_neighbours);
        room.kept = room.wanted = room.most - future_roots;
        return room;
    }
    auto const wanted = wanted_own_homes + wanted_other_homes * total;
    room.wanted = std::min(wanted, limits::wanted_neighbours);
    room.kept = room.wanted + newcomers;
    auto const most = std::max(room.kept + directed_newcomers, slots + newcomers);
    room.most = std::min(most, limits::neighbours);
    return room;
}

} // namespace minuteswarm
