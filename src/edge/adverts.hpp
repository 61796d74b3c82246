#pragma once

#include "edge/children.hpp"
#include "edge/edge_node.hpp"
#include "edge/group_window.hpp"
#include "edge/parents.hpp"

#include <vector>

namespace minuteswarm {

/// Tells neighbours what changed: at once those that search, the others once a second; never more
/// than limits::edge_control_percent of the stream's bitrate.
class Adverts {
public:
    Adverts(EdgeNode& node, Parents const& parents, Children const& children, MonotonicTime start);

    /// Takes in a neighbour's claims; false if it named none of the stripes before.
    void learn(Acquaintance& of, AdvertMessage const& advert, MonotonicTime now) const;
    /// To a neighbour that just came: all that there is to say.
    void introduce(NeighbourId to, GroupWindow const& groups, MonotonicTime now);
    void tick(GroupWindow const& groups, MonotonicTime now);
    /// How far apart adverts to settled neighbours are.
    [[nodiscard]] Duration period() const;

private:
    [[nodiscard]] StripeAdvert
    describe(StripeIndex stripe, GroupWindow const& groups, MonotonicTime now) const;
    void look_for_changes(GroupWindow const& groups, MonotonicTime now);
    [[nodiscard]] bool is_due(Acquaintance const& to, Duration period, MonotonicTime now) const;
    void tell(NeighbourId id, Acquaintance& to, MonotonicTime now, bool is_first = false);

    EdgeNode& node_;
    Parents const& parents_;
    Children const& children_;
    std::vector<StripeAdvert> said_;
    GroupNumber newest_;
    std::uint8_t incomplete_ = 255;
    double credit_ = 0; ///< bytes
    MonotonicTime credited_;
    std::uint64_t turn_ = 0;
};

} // namespace minuteswarm
