#include "swarm/edge_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace minuteswarm {

EdgeQueue::EdgeQueue(Options options)
    : options_(options) {}

void EdgeQueue::push_control(Bytes message) {
    assert(!message.empty());
    control_bytes_ += message.size();
    control_.push_back(std::move(message));
}

void EdgeQueue::push(Class kind, BlockKey const& key, std::size_t bytes, MonotonicTime now) {
    assert(bytes > 0);
    drop_late(now);
    if (!waiting_.insert(key).second) return;
    block_bytes_ += bytes;
    auto& all = blocks(kind);
    auto const is_later = [](GroupNumber group, Waiting const& other) {
        return group < other.key.group;
    };
    auto const is_by_group = kind == Class::urgent || kind == Class::catch_up;
    auto const at =
        is_by_group ? std::upper_bound(all.begin(), all.end(), key.group, is_later) : all.end();
    if (kind == Class::catch_up && all.empty()) oldest_catch_up_ = now;
    all.insert(at, {kind, key, bytes, now});
    drop_surplus();
}

std::optional<Bytes> EdgeQueue::pop_control() {
    if (control_.empty()) return std::nullopt;
    auto message = std::move(control_.front());
    control_.pop_front();
    control_bytes_ -= message.size();
    return message;
}

std::optional<EdgeQueue::Waiting> EdgeQueue::next(MonotonicTime now) {
    drop_late(now);
    for (auto const& blocks : blocks_) {
        if (!blocks.empty()) return blocks.front();
    }
    return std::nullopt;
}

void EdgeQueue::pop_block() {
    auto const first =
        std::ranges::find_if(blocks_, [](auto const& blocks) { return !blocks.empty(); });
    if (first != blocks_.end()) take_first(*first);
}

template <class Predicate>
std::size_t EdgeQueue::erase_if(Class kind, Predicate const& is_unwanted) {
    return std::erase_if(blocks(kind), [&](Waiting const& block) {
        if (!is_unwanted(block)) return false;
        block_bytes_ -= block.bytes;
        waiting_.erase(block.key);
        return true;
    });
}

void EdgeQueue::drop(StripeIndex stripe) {
    for (std::size_t i = 0; i < classes; ++i) {
        erase_if(static_cast<Class>(i), [&](Waiting const& block) {
            return block.key.stripe == stripe;
        });
    }
}

std::size_t EdgeQueue::bytes_ahead() const {
    auto bytes = control_bytes_;
    for (auto const kind : {Class::urgent, Class::live}) {
        for (auto const& block : blocks_[static_cast<std::size_t>(kind)])
            bytes += block.bytes;
    }
    return bytes;
}

std::size_t EdgeQueue::bytes_behind() const {
    std::size_t bytes = 0;
    for (auto const& block : blocks_[static_cast<std::size_t>(Class::catch_up)])
        bytes += block.bytes;
    return bytes;
}

Duration EdgeQueue::oldest_wait(MonotonicTime now) const {
    auto oldest = now;
    for (auto const& block : blocks_[static_cast<std::size_t>(Class::urgent)])
        oldest = std::min(oldest, block.since);
    auto const& live = blocks_[static_cast<std::size_t>(Class::live)];
    return now - (live.empty() ? oldest : std::min(oldest, live.front().since));
}

std::uint64_t EdgeQueue::dropped(Class kind) const {
    return dropped_[static_cast<std::size_t>(kind)];
}

void EdgeQueue::take_first(Blocks& blocks) {
    waiting_.erase(blocks.front().key);
    block_bytes_ -= blocks.front().bytes;
    blocks.pop_front();
}

void EdgeQueue::drop_first(Class kind) {
    take_first(blocks(kind));
    ++dropped_[static_cast<std::size_t>(kind)];
}

void EdgeQueue::drop_last(Class kind) {
    auto& all = blocks(kind);
    waiting_.erase(all.back().key);
    block_bytes_ -= all.back().bytes;
    all.pop_back();
    ++dropped_[static_cast<std::size_t>(kind)];
}

void EdgeQueue::drop_late(MonotonicTime now) {
    auto const is_late = [&](Waiting const& block) {
        auto const most =
            block.kind == Class::urgent ? options_.most_urgent_wait : options_.most_wait;
        return now - block.since > most;
    };
    for (auto const kind : {Class::live, Class::parity}) {
        while (!blocks(kind).empty() && is_late(blocks(kind).front()))
            drop_first(kind);
    }
    // The others are not in the order in which they came.
    auto& behind = blocks(Class::catch_up);
    if (!behind.empty() && now - oldest_catch_up_ > options_.most_wait) {
        dropped_[static_cast<std::size_t>(Class::catch_up)] += erase_if(Class::catch_up, is_late);
        auto const oldest = std::ranges::min_element(behind, {}, &Waiting::since);
        if (oldest != behind.end()) oldest_catch_up_ = oldest->since;
    }
    if (blocks(Class::urgent).empty()) return;
    dropped_[static_cast<std::size_t>(Class::urgent)] += erase_if(Class::urgent, is_late);
}

void EdgeQueue::drop_surplus() {
    // Least worth first: not the order of leaving backwards. Catch-up can be asked for again.
    for (auto const kind : {Class::catch_up, Class::parity, Class::urgent, Class::live}) {
        // Of an outage the oldest block is due first; the newest can come otherwise.
        while (block_bytes_ > options_.most_bytes && !blocks(kind).empty())
            kind == Class::urgent ? drop_last(kind) : drop_first(kind);
    }
}

} // namespace minuteswarm
