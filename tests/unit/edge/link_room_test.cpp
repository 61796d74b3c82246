#include "edge/edge_node.hpp"
#include "edge/link_room.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

SubscriptionOptions node(std::uint8_t stripes, std::uint8_t parity, bool is_source) {
    SubscriptionOptions options;
    options.self = {2};
    options.source = {is_source ? 2U : 1U};
    options.stripes = stripes;
    options.parity = parity;
    return options;
}

} // namespace

TEST_CASE("Nine stripes take as many links as a node may have, two far fewer") {
    auto const nine = link_room(node(8, 1, false), 12);
    CHECK(nine.wanted == limits::wanted_neighbours);
    CHECK(nine.kept == limits::kept_neighbours);
    CHECK(nine.most == limits::neighbours);
    auto const two = link_room(node(2, 0, false), 3);
    CHECK(two.wanted == 10);
    CHECK(two.kept > two.wanted);
    CHECK(two.most > two.kept);
    CHECK(two.most < nine.wanted);
}

TEST_CASE("A source keeps room for those that are to be roots") {
    auto const nine = link_room(node(8, 1, true), 12);
    CHECK(nine.most == limits::source_neighbours);
    CHECK(nine.kept < nine.most);
    auto const two = link_room(node(2, 0, true), 2);
    CHECK(two.kept >= 2 * 2); // for each stripe a root and who may take over
    CHECK(two.kept < two.most);
    CHECK(two.most < nine.kept);
}

TEST_CASE("Whoever has slots for many has room for their connections") {
    for (auto const is_source : {false, true}) {
        CHECK(link_room(node(2, 0, is_source), 25).most >= 25);
        auto const bound = is_source ? limits::source_neighbours : limits::neighbours;
        CHECK(link_room(node(2, 0, is_source), limits::edge_slots).most == bound);
    }
}
