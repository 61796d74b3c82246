#pragma once

#include "support/impostor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

namespace minuteswarm::test {

inline std::vector<Block> blocks_of(Group const& group, ChannelKey const& key) {
    return stripe_group(group, ParityCode{group.header.stripes, group.header.parity}, key);
}

/// A viewer that follows an impostor, honest so far, and feeds a witness.
struct Deceived {
    Deceived()
        : viewer(bench.follow())
        , impostor(bench, viewer.node, {.is_source = true, .session = {}})
        , witness(bench, viewer.node) {
        impostor.promise_everything();
        StripeMask asked = 0;
        REQUIRE(bench.swarm.driver.until([&] {
            auto const fed = impostor.accept();
            for (auto const& block : blocks_of(bench.make_group(), bench.swarm.key)) {
                if (has(fed, block.stripe)) impostor.send_now(impostor.encode_block(block));
            }
            for (StripeIndex stripe; stripe.value < 9; ++stripe) {
                if (!has(viewer.node.channel().edge()->policy().flowing() & ~asked, stripe))
                    continue;
                witness.say_now(SubscribeMessage{stripe, {9999}, 0, false, false, true, true});
                asked |= mask_of(stripe);
            }
            return count(fed) == 9 && witness.heard<AcceptMessage>().size() == 9;
        }));
        impostor.settle();
        witness.settle();
        viewer.bytes.clear();
        viewer.pieces = 0;
        before_ = counters();
        hostile_from_ = {bench.published};
    }
    /// Since the impostor turned hostile.
    [[nodiscard]] std::uint64_t taken() { return counters().blocks - before_.blocks; }
    [[nodiscard]] std::uint64_t forged() { return counters().forged; }
    [[nodiscard]] std::uint64_t duplicates() { return counters().duplicates - before_.duplicates; }
    [[nodiscard]] std::uint64_t strikes() { return viewer.node.channel().counters().strikes; }
    /// Blocks the viewer passed on of those sent since then, apart from one that shows that it has
    /// passed on what it was going to.
    [[nodiscard]] std::size_t passed_on() {
        static_cast<void>(bench.make_group()); // a number that a forged block may have
        auto const last = blocks_of(bench.make_group(), bench.swarm.key).front();
        auto const is_last = [&](Block const& block) { return block.key() == last.key(); };
        impostor.send(last);
        REQUIRE(bench.swarm.driver.until([&] {
            return std::ranges::any_of(witness.blocks(), is_last);
        }));
        auto const all = witness.blocks();
        return static_cast<std::size_t>(std::ranges::count_if(all, [&](Block const& block) {
            auto const is_before = block.header.run == bench.parameters.run &&
                                   block.header.event == test_event &&
                                   block.header.group < hostile_from_;
            return !is_before && !is_last(block);
        }));
    }

    /// Of the blocks of a group all but those of the first two stripes; returns all of them.
    [[nodiscard]] std::vector<Block> send_with_a_hole() {
        auto blocks = blocks_of(bench.make_group(), bench.swarm.key);
        for (auto const& block : blocks) {
            if (block.stripe.value > 1) impostor.send(block);
        }
        return blocks;
    }
    /// A whole group each span, from within the loop.
    void go_on() {
        auto const now = MonotonicClock::now();
        if (now - last_group_ < group_span) return;
        last_group_ = now;
        for (auto const& block : blocks_of(bench.make_group(), bench.swarm.key))
            impostor.send_now(impostor.encode_block(block));
    }

    EdgeBench bench;
    Follower& viewer;
    Impostor impostor;
    Impostor witness;

private:
    [[nodiscard]] LiveEdge::Counters const& counters() {
        return viewer.node.channel().edge()->counters();
    }
    LiveEdge::Counters before_;
    GroupNumber hostile_from_;
    MonotonicTime last_group_{};
};

} // namespace minuteswarm::test
