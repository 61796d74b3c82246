#include "swarm/seal_checks.hpp"

#include "base/limits.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace minuteswarm {

SealChecks::SealChecks(EventLoop& loop, ChannelId const& channel, Checked on_checked)
    : loop_(loop)
    , channel_(channel)
    , on_checked_(std::move(on_checked))
    , self_(std::make_shared<SealChecks*>(this)) {}

SealChecks::~SealChecks() {
    thread_.join();
}

void SealChecks::start(NeighbourId from, Block block) {
    assert(loop_.is_current());
    auto const size = block.payload->size();
    if (unchecked_ + size > limits::edge_unchecked) {
        std::vector<Entry> one;
        one.push_back({from, std::move(block), {}});
        check_seals(one, channel_);
        return on_checked_(std::move(one));
    }
    unchecked_ += size;
    waiting_.push_back({from, std::move(block), {}});
    if (!is_under_way_) start_batch();
}

void SealChecks::start_batch() {
    is_under_way_ = true;
    auto work = [&loop = loop_,
                 channel = channel_,
                 batch = std::exchange(waiting_, {}),
                 self = std::weak_ptr{self_}]() mutable {
        check_seals(batch, channel);
        loop.post([self = std::move(self), batch = std::move(batch)]() mutable {
            if (auto const there = self.lock()) (*there)->finish_batch(std::move(batch));
        });
    };
    boost::asio::post(thread_, Task{std::move(work)});
}

void SealChecks::finish_batch(std::vector<Entry> batch) {
    for (auto const& entry : batch)
        unchecked_ -= entry.block.payload->size();
    is_under_way_ = false;
    if (!waiting_.empty()) start_batch();
    on_checked_(std::move(batch));
}

void check_seals(std::vector<SealChecks::Entry>& entries, ChannelId const& channel) {
    struct Verdict {
        GroupSeal seal;
        std::optional<GenuineSeal> genuine;
    };
    std::vector<Verdict> verdicts;
    for (auto& entry : entries) {
        auto const seal = entry.block.claimed_seal();
        auto known = std::ranges::find(verdicts, seal, &Verdict::seal);
        if (known == verdicts.end())
            known = verdicts.insert(known, {seal, GenuineSeal::check(seal, channel)});
        entry.seal = known->genuine;
    }
}

} // namespace minuteswarm
