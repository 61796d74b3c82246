#pragma once

#include "base/limits.hpp"
#include "base/time.hpp"
#include "edge/block.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace minuteswarm {

/// What of the live edge waits to be sent to one neighbour: control overtakes blocks, live blocks
/// overtake catch-up, parity goes last; after an outage all of them are urgent. Of blocks it holds
/// the names: they are made when they leave, with what is true then. They are bounded in bytes and
/// in the time that they wait; what is dropped for that is counted. Pure: time is a parameter and
/// never goes back.
class EdgeQueue {
public:
    struct Options {
        std::size_t most_bytes = limits::edge_queue;           ///< of blocks
        std::size_t most_control = limits::edge_queue_control; ///< bytes; more is clogged
        Duration most_wait = limits::edge_queue_wait;          ///< of a block
        Duration most_urgent_wait = limits::edge_urgent_wait;
    };

    /// Of blocks, in the order in which they leave.
    enum class Class : std::uint8_t {
        urgent,   ///< what many others wait for, and all after an outage, the oldest groups first
        live,     ///< data as it comes
        catch_up, ///< and answers to `want`, the oldest groups first: playing begins with them
        parity,   ///< as it comes
    };

    explicit EdgeQueue(Options options);

    /// Whole messages, type byte included. Control is never dropped.
    void push_control(Bytes message);
    /// A block whose message has so many bytes; not if it waits already, in whichever class. What
    /// is too much is dropped: catch-up, then parity, the first to leave first, then urgent blocks,
    /// the last first, then live ones.
    void push(Class kind, BlockKey const& key, std::size_t bytes, MonotonicTime now);
    std::optional<Bytes> pop_control();

    struct Waiting {
        Class kind{};
        BlockKey key;
        std::size_t bytes = 0;
        MonotonicTime since;

        /// Whether it leaves before a block of another queue: of what many wait for the oldest
        /// group first, since it takes all of its stripes to be played.
        [[nodiscard]] bool precedes(Waiting const& other) const {
            auto const group = [](Waiting const& one) {
                return one.kind == Class::urgent ? one.key.group : GroupNumber{};
            };
            return std::tuple{kind, group(*this), since} <
                   std::tuple{other.kind, group(other), other.since};
        }
    };
    /// The block to be sent next.
    [[nodiscard]] std::optional<Waiting> next(MonotonicTime now);
    /// Takes out what `next` has just returned.
    void pop_block();
    /// A subscription ended: blocks of the stripe go, of whichever class, and are not counted.
    void drop(StripeIndex stripe);

    /// Of control and blocks; blocks that have waited too long count until the next push or pop.
    [[nodiscard]] std::size_t bytes() const { return control_bytes_ + block_bytes_; }
    /// Of what new blocks wait for: control, urgent and live blocks.
    [[nodiscard]] std::size_t bytes_ahead() const;
    /// Of catch-up and repair.
    [[nodiscard]] std::size_t bytes_behind() const;
    [[nodiscard]] bool is_empty() const { return bytes() == 0; }
    /// So much control waits that the neighbour cannot be reading.
    [[nodiscard]] bool is_clogged() const { return control_bytes_ > options_.most_control; }
    /// Of live data; 0 when there is none.
    [[nodiscard]] Duration oldest_wait(MonotonicTime now) const;
    /// Blocks dropped so far, for want of room or of time.
    [[nodiscard]] std::uint64_t dropped(Class kind) const;

private:
    static constexpr std::size_t classes = 4;

    using Blocks = std::deque<Waiting>;

    Blocks& blocks(Class kind) { return blocks_[static_cast<std::size_t>(kind)]; }
    template <class Predicate>
    std::size_t erase_if(Class kind, Predicate const& is_unwanted);
    void take_first(Blocks& blocks);
    void drop_first(Class kind);
    void drop_last(Class kind);
    void drop_late(MonotonicTime now);
    void drop_surplus();

    Options options_;
    std::deque<Bytes> control_;
    std::array<Blocks, classes> blocks_; ///< by class, in the order in which they leave
    std::set<BlockKey> waiting_;
    MonotonicTime oldest_catch_up_{}; ///< no block of it has waited for longer
    std::size_t control_bytes_ = 0;
    std::size_t block_bytes_ = 0;
    std::array<std::uint64_t, classes> dropped_{};
};

} // namespace minuteswarm
