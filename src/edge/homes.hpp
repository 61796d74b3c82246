#pragma once

#include "edge/edge_node.hpp"

namespace minuteswarm {

/// Chooses the stripes in which a node means to have many children, so that every stripe has homes
/// in everyone's view. Keeps EdgeNode::homes.
class Homes {
public:
    Homes(EdgeNode& node, MonotonicTime start)
        : node_(node)
        , start_(start) {}

    void tick(MonotonicTime now);

private:
    void choose_first(MonotonicTime now);
    void adapt(MonotonicTime now);
    void swap_with(std::vector<double> const& supply, MonotonicTime now);
    [[nodiscard]] std::vector<double> supply() const;
    [[nodiscard]] std::size_t most_homes() const;
    [[nodiscard]] std::size_t fitting_homes() const;

    EdgeNode& node_;
    MonotonicTime start_;
    bool has_chosen_ = false;
    MonotonicTime next_{};
    MonotonicTime swapped_{};
};

} // namespace minuteswarm
