#include "support/deceived.hpp"

using namespace minuteswarm;
using namespace minuteswarm::test;

namespace {

/// Which blocks of the group the neighbour was asked for, once for each time.
std::vector<StripeMask> wanted_of(Impostor const& holder, GroupNumber group) {
    std::vector<StripeMask> found;
    for (auto const& one : holder.wanted()) {
        if (one.group == group) found.push_back(one.stripes);
    }
    return found;
}

} // namespace

TEST_CASE("What a parent leaves out of a group is asked of another neighbour, as much as is needed"
) {
    Deceived deceit;
    Impostor holder{deceit.bench, deceit.viewer.node};
    auto const blocks = deceit.send_with_a_hole();
    auto const hole = blocks.front().header;
    std::size_t answered = 0;
    CHECK(deceit.bench.swarm.driver.until([&] {
        holder.keep_promising();
        deceit.go_on();
        for (auto const all = wanted_of(holder, hole.group); answered < all.size(); ++answered) {
            for (auto const& block : blocks) {
                if (has(all[answered], block.stripe)) holder.send_now(holder.encode_block(block));
            }
        }
        return deceit.viewer.reached(hole.chunk, hole.offset) >= group_size;
    }));
    auto const wanted = wanted_of(holder, hole.group);
    REQUIRE_FALSE(wanted.empty());
    for (auto const stripes : wanted) {
        CHECK(count(stripes) == 1);
        CHECK((stripes & 3U) != 0);
    }
}

TEST_CASE("Who was asked for a block may bring it after another has been asked for it too") {
    Deceived deceit;
    Impostor holders[] = {{deceit.bench, deceit.viewer.node}, {deceit.bench, deceit.viewer.node}};
    auto const blocks = deceit.send_with_a_hole();
    auto const group = blocks.front().header.group;
    REQUIRE(deceit.bench.swarm.driver.until([&] {
        deceit.go_on();
        for (auto& holder : holders)
            holder.keep_promising();
        return std::ranges::none_of(holders, [&](Impostor const& holder) {
            return wanted_of(holder, group).empty();
        });
    }));
    for (auto& holder : holders) {
        auto const asked = wanted_of(holder, group).front();
        for (auto const& block : blocks) {
            if (has(asked, block.stripe)) holder.send(block);
        }
        holder.settle();
    }
    CHECK(deceit.viewer.node.channel().edge()->counters().unexpected == 0);
}

TEST_CASE("Groups that lack one data block come from parity, and as many are told of") {
    constexpr std::uint64_t lossy = 7;
    Deceived deceit;
    auto const& counters = deceit.viewer.node.channel().edge()->counters();
    auto const before = counters;
    Group group;
    for (std::uint64_t i = 0; i < 2 * lossy; ++i) {
        group = deceit.bench.make_group();
        for (auto const& block : blocks_of(group, deceit.bench.swarm.key)) {
            // A whole group comes without parity, which might overtake a block while its seal is
            // checked.
            auto const lost = i % 2 == 0 ? i / 2 : deceit.bench.parameters.stripes;
            if (block.stripe.value != lost) deceit.impostor.send(block);
        }
        REQUIRE(deceit.bench.swarm.driver.until([&] {
            return deceit.viewer.reached(group.header.chunk, group.header.offset) >= group_size;
        }));
    }
    CHECK(counters.groups - before.groups == 2 * lossy);
    CHECK(counters.recovered - before.recovered == lossy);
}
