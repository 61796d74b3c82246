#pragma once

#include "edge/edge_node.hpp"

namespace minuteswarm {

/// Decides when a viewer that the live edge cannot feed steps back to the chunk swarms, so that the
/// others are fed, and when it tries again.
class Admission {
public:
    Admission(EdgeNode& node, MonotonicTime start);

    enum class Step { none, leave, stepped_back, come_back };
    /// `leave`: children are to be told now; `stepped_back` follows a moment later.
    Step tick(MonotonicTime now);
    [[nodiscard]] bool is_leaving() const { return leaving_at_.has_value(); }

private:
    /// If none is, the trees may have yet to form: places given back would help nobody.
    [[nodiscard]] bool has_fed_neighbour() const;
    bool sees_room(MonotonicTime now);
    [[nodiscard]] Duration patience();

    EdgeNode& node_;
    MonotonicTime last_tick_;
    bool was_fed_ = false;
    Duration lack_{}; ///< for how long too few stripes have flowed
    Duration patience_{};
    std::optional<MonotonicTime> leaving_at_;
    MonotonicTime back_at_{};
    MonotonicTime look_at_{}; ///< for room among neighbours
};

} // namespace minuteswarm
