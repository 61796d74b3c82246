#pragma once

#include "base/event_loop.hpp"
#include "edge/block.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace minuteswarm {

/// Blocks whose groups' signatures are checked, on a thread of its own. One batch is under way at a
/// time; what comes meanwhile is the next one. So a lone block waits for nothing, and a crowd of
/// them, as when a newcomer catches up, costs one signature a group and one switch there and back.
/// Loop-only.
class SealChecks {
public:
    struct Entry {
        NeighbourId from;
        Block block;
        std::optional<GenuineSeal> seal; ///< none: forged
    };
    /// Those of one batch, in the order they came.
    using Checked = std::function<void(std::vector<Entry>)>;

    SealChecks(EventLoop& loop, ChannelId const& channel, Checked on_checked);
    /// Waits for the batch that is under way; nobody is told of it.
    ~SealChecks();
    SealChecks(SealChecks const&) = delete;
    SealChecks& operator=(SealChecks const&) = delete;

    /// When limits::edge_unchecked bytes wait already, it is checked on the loop at once: whoever
    /// sends faster than can be checked has to wait.
    void start(NeighbourId from, Block block);

private:
    void start_batch();
    void finish_batch(std::vector<Entry> batch);

    EventLoop& loop_;
    ChannelId channel_;
    Checked on_checked_;
    std::vector<Entry> waiting_;
    std::size_t unchecked_ = 0; ///< bytes of payloads, of those that wait and those under way
    bool is_under_way_ = false;
    std::shared_ptr<SealChecks*> self_; ///< for what is posted to the loop and comes too late
    boost::asio::thread_pool thread_{1};
};

/// Checks the seals of blocks that one channel is said to have sent, each seal once. Pure.
void check_seals(std::vector<SealChecks::Entry>& entries, ChannelId const& channel);

} // namespace minuteswarm
