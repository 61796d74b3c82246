#pragma once

#include "base/time.hpp"
#include "edge/node_path.hpp"

#include <algorithm>
#include <deque>
#include <memory>

namespace minuteswarm::simulation {

using NodeIndex = std::uint32_t;
using SharedPath = std::shared_ptr<NodePath const>;

/// A block on its way; its payload is imagined.
struct Block {
    StripeIndex stripe;
    GroupNumber group;
    SharedPath path; ///< the sender last
    Duration age{};  ///< when it came to the sender
    MonotonicTime came{};
    MonotonicTime born{}; ///< the truth about its age, for the checks only
};

struct Job {
    NodeIndex to = 0;
    Block block;
    bool is_answer = false; ///< to a want, or catch-up: not bound to a subscription
    MonotonicTime since{};  ///< when it began to wait
};

/// A serial uplink with two priorities: what is late waits until nothing new does.
class Uplink {
public:
    void set_block_time(Duration time) { block_time_ = time; }
    [[nodiscard]] Duration block_time() const { return block_time_; }

    void push(Job job, bool is_late) { (is_late ? late_ : live_).push_back(std::move(job)); }
    [[nodiscard]] bool waits_late(Job const& job) const {
        return std::ranges::any_of(late_, [&](Job const& other) {
            return other.to == job.to && other.block.group == job.block.group &&
                   other.block.stripe == job.block.stripe;
        });
    }
    [[nodiscard]] bool is_idle() const { return live_.empty() && late_.empty(); }
    Job pop() {
        auto& queue = live_.empty() ? late_ : live_;
        auto job = std::move(queue.front());
        queue.pop_front();
        return job;
    }
    [[nodiscard]] Duration live_time() const {
        return static_cast<Duration::rep>(live_.size()) * block_time_;
    }
    [[nodiscard]] Duration late_time() const {
        return static_cast<Duration::rep>(late_.size()) * block_time_;
    }
    void forget_late_before(MonotonicTime time) {
        while (!late_.empty() && late_.front().since < time)
            late_.pop_front();
    }
    /// Late blocks that nobody would wait for any longer.
    void forget_late(std::size_t most) {
        while (late_.size() > most)
            late_.pop_front();
    }
    void clear() {
        live_.clear();
        late_.clear();
    }

private:
    std::deque<Job> live_;
    std::deque<Job> late_;
    Duration block_time_{};
};

} // namespace minuteswarm::simulation
