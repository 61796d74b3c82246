#include "unit/swarm/neighbourhood_bench.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::neighbourhood_bench;
using namespace std::chrono_literals;

TEST_CASE("A neighbourhood takes each session once, and never its own") {
    Bench bench;
    auto const first = bench.enter(neighbour(1));
    CHECK(bench.all.enter({50}, neighbour(1), start) == Entry::duplicate);
    CHECK(bench.all.enter({51}, neighbour(own), start) == Entry::self);
    bench.all.leave(first);
    CHECK(bench.all.enter({52}, neighbour(1), start) == Entry::accepted);
    CHECK(bench.all.all().size() == 1);
}

TEST_CASE("Nobody keeps the source out by its session, and who has proven to be it keeps it") {
    Bench bench;
    auto const impostor = bench.enter(neighbour(1));
    auto source = neighbour(1);
    source.claims_source = true;
    REQUIRE(bench.all.enter({50}, source, start) == Entry::accepted);
    CHECK(bench.all.enter({51}, neighbour(1), start) == Entry::duplicate);
    CHECK(bench.all.note_source({50}) == Ids{impostor});
    CHECK(bench.all.enter({52}, source, start) == Entry::duplicate);
}

TEST_CASE("A neighbourhood takes no more than it may") {
    Bench bench{2};
    auto const first = bench.enter(neighbour(1));
    bench.enter(neighbour(2));
    CHECK(bench.all.enter({50}, neighbour(3), start) == Entry::full);
    bench.all.leave(first);
    CHECK(bench.all.enter({51}, neighbour(3), start) == Entry::accepted);
}

TEST_CASE("A statement goes to neighbours that do not know it") {
    Bench bench;
    auto const sender = bench.enter(neighbour(1));
    auto const other = bench.enter(neighbour(2));
    bench.all.note_knows(sender, signature(1));
    CHECK(
        bench.all.push_targets(signature(1), {}, {}, limits::push_fanout, bench.random) ==
        Ids{other}
    );
    CHECK(
        bench.all.push_targets(signature(2), {}, {}, limits::push_fanout, bench.random).size() == 2
    );
    bench.all.note_knows(other, signature(1));
    CHECK(bench.all.push_targets(signature(1), {}, {}, limits::push_fanout, bench.random).empty());
}

TEST_CASE("A record does not go to neighbours that announced its chunk") {
    Bench bench;
    auto const announced = bench.enter(neighbour(1));
    auto const other = bench.enter(neighbour(2));
    bench.all.on_have(announced, have(5, State::joining));
    CHECK(
        bench.all.push_targets(signature(1), chunk(5), {}, limits::push_fanout, bench.random) ==
        Ids{other}
    );
    CHECK(
        bench.all.push_targets(signature(1), chunk(6), {}, limits::push_fanout, bench.random)
            .size() == 2
    );
}

TEST_CASE("A statement goes to all children in a tree, and to nobody who has another parent") {
    Bench bench;
    Neighbourhood::Tree tree;
    for (std::uint8_t i = 1; i <= 20; ++i)
        (i <= 6 ? tree.children : tree.others).insert(bench.enter(neighbour(i)));
    bench.all.note_knows(*tree.children.begin(), signature(1));
    auto const outside = bench.enter(neighbour(21));
    auto expected = tree.children;
    expected.erase(expected.begin());
    expected.insert(outside);
    auto const targets =
        bench.all.push_targets(signature(1), {}, tree, limits::push_fanout, bench.random);
    CHECK(sorted(targets) == Ids(expected.begin(), expected.end()));
}

TEST_CASE("A statement is pushed to a bounded number of neighbours, not always the same") {
    Bench bench;
    for (std::uint8_t i = 1; i <= 20; ++i)
        bench.enter(neighbour(i));
    std::set<NeighbourId> reached;
    for (std::uint64_t i = 0; i < 50; ++i) {
        auto const targets =
            bench.all.push_targets(signature(i), {}, {}, limits::push_fanout, bench.random);
        REQUIRE(targets.size() == limits::push_fanout);
        REQUIRE(std::set<NeighbourId>(targets.begin(), targets.end()).size() == targets.size());
        reached.insert(targets.begin(), targets.end());
    }
    CHECK(reached.size() == 20);
}

TEST_CASE("A joining node dials those that announced the chunk or claimed to hold it") {
    Bench bench;
    auto const complete = bench.enter(neighbour(200));
    auto const joining = bench.enter(neighbour(201));
    auto holding = neighbour(202);
    holding.held = {{event, rendition, {3}, {9}}};
    auto const held = bench.enter(holding);
    bench.enter(neighbour(203)); // says nothing
    bench.all.on_have(complete, have(5, State::complete));
    bench.all.on_have(joining, have(5, State::joining));
    CHECK(bench.dial_targets(5) == Ids{complete, joining, held});
    CHECK(bench.dial_targets(3) == Ids{held});
    CHECK(bench.dial_targets(10) == Ids{});
}

TEST_CASE("Of two that join chunk after chunk the one with the higher session id dials") {
    Bench bench;
    auto const lower = bench.enter(neighbour(own - 1));
    auto const higher = bench.enter(neighbour(own + 1));
    bench.all.on_have(lower, have(4, State::joining));
    bench.all.on_have(higher, have(4, State::joining));
    CHECK(bench.dial_targets(5) == Ids{lower});
    CHECK(bench.dial_targets(8) == Ids{lower});
    CHECK(bench.dial_targets(9) == Ids{}); // five chunks without a word: gone
}

TEST_CASE("One that completes old chunks is no follower") {
    Bench bench;
    auto const seed = bench.enter(neighbour(own - 1));
    bench.all.on_have(seed, have(4, State::complete));
    CHECK(bench.dial_targets(5) == Ids{});
}

TEST_CASE("One that says it dials is not dialled back") {
    Bench bench;
    auto const lower = bench.enter(neighbour(own - 1));
    bench.all.on_have(lower, have(5, State::joining_dialling));
    CHECK(bench.dial_targets(5) == Ids{});
    CHECK_FALSE(bench.all.should_dial_later(lower, State::joining_dialling));
}

TEST_CASE("One that listens nowhere is never dialled") {
    Bench bench;
    auto hidden = neighbour(1);
    hidden.endpoint.port = 0;
    auto const id = bench.enter(hidden);
    bench.all.on_have(id, have(5, State::complete));
    CHECK(bench.dial_targets(5) == Ids{});
    CHECK(bench.all.holders(chunk(5), false).empty());
    CHECK_FALSE(bench.all.should_dial_later(id, State::complete));
}

TEST_CASE("A chunk's peers are dialled up to a limit") {
    Bench bench;
    for (std::uint8_t i = 1; i <= 30; ++i)
        bench.all.on_have(bench.enter(neighbour(i)), have(5, State::complete));
    CHECK(bench.dial_targets(5).size() == limits::chunk_peers);
    CHECK(bench.all.holders(chunk(5), false).size() == 30);
}

TEST_CASE("Of later joiners those with lower session ids are dialled, of holders all") {
    Bench bench;
    auto const lower = bench.enter(neighbour(own - 1));
    auto const higher = bench.enter(neighbour(own + 1));
    CHECK(bench.all.should_dial_later(lower, State::joining));
    CHECK_FALSE(bench.all.should_dial_later(higher, State::joining));
    CHECK(bench.all.should_dial_later(higher, State::complete));
    CHECK_FALSE(bench.all.should_dial_later({99}, State::complete));
}

TEST_CASE("Who may have a chunk: the source, those that announced it, and followers") {
    Bench bench;
    auto const source = neighbour(1);
    auto const first = bench.enter_source(source);
    auto const told = bench.enter(neighbour(2));
    auto const follower = bench.enter(neighbour(203));
    bench.enter(neighbour(4));
    bench.all.on_have(told, have(5, State::complete));
    bench.all.on_have(follower, have(4, State::joining));
    CHECK(bench.all.holders(chunk(5), false) == Ids{told, follower});
    CHECK(bench.all.holders(chunk(5), true) == Ids{told, follower, first});
    CHECK(bench.all.holders(chunk(50), false) == Ids{first}); // there is nobody else
}

TEST_CASE("When nobody is known to have a chunk, everybody may have it") {
    Bench bench;
    auto const one = bench.enter(neighbour(1));
    auto hidden = neighbour(2);
    hidden.endpoint.port = 0;
    bench.enter(hidden);
    auto const other = bench.enter(neighbour(3));
    CHECK(bench.all.holders(chunk(5), false) == Ids{one, other});
    CHECK(bench.dial_targets(5) == Ids{});
    bench.all.on_have(other, have(5, State::complete));
    CHECK(bench.all.holders(chunk(5), false) == Ids{other});
}

TEST_CASE("A chunk of another event or rendition is another chunk") {
    Bench bench;
    auto const id = bench.enter(neighbour(1));
    bench.all.on_have(id, {{event.value + 1}, rendition, {5}, State::complete});
    bench.all.on_have(id, {event, {1}, {5}, State::complete});
    CHECK(bench.dial_targets(5) == Ids{});
}

TEST_CASE("The first receivers of new chunks take turns") {
    Bench bench;
    for (std::uint8_t i = 1; i <= 5; ++i)
        bench.enter(neighbour(i));
    CHECK(bench.all.first_receivers(2) == Ids{{1}, {2}});
    CHECK(bench.all.first_receivers(2) == Ids{{3}, {4}});
    CHECK(bench.all.first_receivers(2) == Ids{{5}, {1}});
    bench.all.leave({2});
    CHECK(bench.all.first_receivers(2) == Ids{{3}, {4}});
    CHECK(bench.all.first_receivers(9) == Ids{{5}, {1}, {3}, {4}});
    Bench empty;
    CHECK(empty.all.first_receivers(2).empty());
}

TEST_CASE("Named peers are dialled while there is too little to watch from") {
    Bench bench;
    CHECK(bench.all.redial_interval(0s, 0) == 1s);
    CHECK(bench.all.redial_interval(1h, 0) == 1s);
    CHECK(bench.all.redial_interval(0s, 2) == 4s); // the others may be at their doors as well
    CHECK(bench.all.redial_interval(0s, 1000) == 10s);
    bench.enter(neighbour(1));
    CHECK(bench.all.redial_interval(0s, 0) == 2s);
    CHECK(bench.all.redial_interval(0s, 1000) == 30s);
    auto const source = neighbour(2);
    auto const id = bench.enter_source(source);
    CHECK(bench.all.redial_interval(1h, 0) == 30s);
    bench.all.leave(id);
    CHECK(bench.all.redial_interval(0s, 0) == 2s);
}

TEST_CASE("A source that has gone is dialled the more rarely the longer it is away") {
    Bench bench;
    bench.all.set_room({});
    for (std::uint8_t i = 1; i <= limits::wanted_neighbours / 3; ++i)
        bench.enter(neighbour(i));
    CHECK_FALSE(bench.all.redial_interval(0s, 0)); // others bring what is new
    CHECK(bench.all.redial_interval(1s, 0) == 2s);
    CHECK(bench.all.redial_interval(40s, 0) == 10s);
    CHECK(bench.all.redial_interval(1h, 0) == 30s);
}

TEST_CASE("The third strike bans the session") {
    Bench bench;
    auto const id = bench.enter(neighbour(1));
    CHECK_FALSE(bench.all.strike(id, start));
    CHECK_FALSE(bench.all.strike(id, start));
    CHECK(bench.all.bans().count() == 0);
    CHECK(bench.all.strike(id, start));
    bench.all.leave(id);
    CHECK(bench.all.enter({50}, neighbour(1), start) == Entry::banned);
    auto other = neighbour(2);
    other.endpoint = neighbour(1).endpoint;
    CHECK(bench.all.enter({51}, other, start) == Entry::accepted);
}

TEST_CASE("A neighbour's hints take a bounded amount of memory") {
    Bench bench;
    auto const id = bench.enter(neighbour(1));
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        bench.all.on_have(id, have(i, State::complete));
        bench.all.note_knows(id, signature(i));
    }
    auto const& hints = *bench.all.find(id);
    CHECK(hints.announced.size() == limits::announced_per_neighbour);
    CHECK(hints.announced.contains(chunk(9'999)));
    CHECK(hints.knows.size() == limits::known_per_neighbour);
    CHECK(hints.knows_oldest_first.size() == limits::known_per_neighbour);
    CHECK(hints.knows.contains(signature(9'999)));
}

TEST_CASE("Hints of one that has gone are dropped") {
    Bench bench;
    bench.all.on_have({9}, have(5, State::complete));
    bench.all.note_knows({9}, signature(1));
    bench.all.heard({9}, start);
    CHECK(bench.all.all().empty());
}

TEST_CASE("peers names others that listen and were heard within a minute") {
    Bench bench;
    auto const asking = bench.enter(neighbour(1));
    auto const silent = bench.enter(neighbour(2));
    auto const alive = bench.enter(neighbour(3));
    auto hidden = neighbour(4);
    hidden.endpoint.port = 0;
    auto const unreachable = bench.enter(hidden);
    bench.all.heard(alive, start + 50s);
    bench.all.heard(unreachable, start + 50s);
    auto const message = bench.all.peers_for(asking, start + 70s, bench.random);
    REQUIRE(message.peers.size() == 1);
    CHECK(message.peers[0].endpoint == neighbour(3).endpoint);
    CHECK(bench.all.peers_for(asking, start, bench.random).peers.size() == 2);
    CHECK(bench.all.find(silent) != nullptr);
}

TEST_CASE("peers names as many as a message may hold") {
    Bench bench{limits::source_neighbours};
    for (std::uint8_t i = 1; i <= limits::source_neighbours; ++i)
        bench.enter(neighbour(i));
    CHECK(bench.all.peers_for({1}, start, bench.random).peers.size() == limits::peers_per_message);
}

TEST_CASE("peers names no more than a node looks for, and the source for want of others") {
    Bench bench;
    auto const source = neighbour(1);
    auto const publishing = bench.enter_source(source);
    auto const asking = bench.enter(neighbour(2));
    auto const alone = bench.all.peers_for(asking, start, bench.random).peers;
    CHECK(alone == std::vector<PeersMessage::Peer>{{source.endpoint, 0}});
    CHECK(bench.all.peers_for(asking, start + 70s, bench.random).peers.empty());
    auto const to_source = bench.all.peers_for(publishing, start, bench.random).peers;
    CHECK(to_source == std::vector<PeersMessage::Peer>{{neighbour(2).endpoint, 0}});
    for (std::uint8_t i = 3; i <= 20; ++i)
        bench.enter(neighbour(i));
    bench.all.set_room({.wanted = 10});
    CHECK(bench.all.peers_for(asking, start, bench.random).peers.size() == 10);
    bench.all.set_room({});
    auto const all = bench.all.peers_for(asking, start, bench.random).peers;
    CHECK(all.size() == 18);
    CHECK(std::ranges::find(all, source.endpoint, &PeersMessage::Peer::endpoint) == all.end());
}

TEST_CASE(
    "One that comes with a chunk is dialled for it, who claims to be the source or hides is not"
) {
    Bench bench;
    auto holding = neighbour(1);
    holding.held = {{event, rendition, {3}, {9}}};
    auto source = neighbour(2);
    source.held = holding.held;
    source.claims_source = true;
    auto hidden = neighbour(3);
    hidden.held = holding.held;
    hidden.endpoint.port = 0;
    auto const holder = bench.enter(holding);
    CHECK(bench.all.should_dial_newcomer(holder, chunk(9)));
    CHECK_FALSE(bench.all.should_dial_newcomer(holder, chunk(10)));
    CHECK_FALSE(bench.all.should_dial_newcomer(bench.enter(source), chunk(9)));
    CHECK_FALSE(bench.all.should_dial_newcomer(bench.enter(hidden), chunk(9)));
}

TEST_CASE("A chunk is held when a neighbour brought it or completed it, not when one joins it") {
    Bench bench;
    CHECK_FALSE(bench.all.first_held(event, rendition, {9}));
    auto later = neighbour(1);
    later.held = {{event, rendition, {5}, {9}}};
    auto earlier = neighbour(2);
    earlier.held = {{event, rendition, {3}, {3}}, {event, {7}, {1}, {9}}};
    bench.enter(later);
    auto const id = bench.enter(earlier);
    CHECK(bench.all.first_held(event, rendition, {9}) == ChunkNumber{3});
    CHECK_FALSE(bench.all.first_held(event, rendition, {2}));
    CHECK(bench.all.is_held(chunk(3)));
    CHECK_FALSE(bench.all.is_held(chunk(4)));
    bench.all.on_have(id, have(4, State::joining));
    CHECK_FALSE(bench.all.is_held(chunk(4)));
    bench.all.on_have(id, have(4, State::complete));
    CHECK(bench.all.is_held(chunk(4)));
}

TEST_CASE("Held chunks join into ranges in whichever order they come") {
    std::vector<ChannelHandshake::HeldRange> held;
    auto const add = [&](std::uint64_t number) { add_held(held, {{7}, {}, {number}}); };
    auto const range = [](std::uint64_t first, std::uint64_t last) {
        return ChannelHandshake::HeldRange{{7}, {}, {first}, {last}};
    };
    for (auto const number : {5, 1, 9, 2, 9})
        add(static_cast<std::uint64_t>(number));
    CHECK(held == std::vector{range(1, 2), range(5, 5), range(9, 9)});
    add(4);
    CHECK(held == std::vector{range(1, 2), range(4, 5), range(9, 9)});
    add(3);
    CHECK(held == std::vector{range(1, 5), range(9, 9)});
    add(6);
    CHECK(held == std::vector{range(1, 6), range(9, 9)});
}

TEST_CASE("Who has neighbours enough welcomes those only that it dials for a reason") {
    Bench bench{limits::wanted_neighbours + 1};
    bench.all.set_room({});
    auto const stranger = neighbour(200).endpoint;
    auto const chosen = neighbour(201).endpoint;
    bench.all.expect(chosen);
    for (std::uint8_t i = 1; i < limits::wanted_neighbours; ++i)
        bench.enter(neighbour(i));
    CHECK(bench.all.welcome(stranger));
    bench.enter(neighbour(limits::wanted_neighbours));
    CHECK_FALSE(bench.all.welcome(stranger));
    CHECK(bench.all.welcome(chosen));
    CHECK_FALSE(bench.all.welcome(chosen)); // the dial was made

    bench.all.expect(chosen);
    for (std::uint8_t i = 0; i < 32; ++i) // it is not remembered for ever
        bench.all.expect(neighbour(static_cast<std::uint8_t>(202 + i)).endpoint);
    CHECK_FALSE(bench.all.welcome(chosen));
}

TEST_CASE("Nobody is dialled for a chunk who was had over uTP alone") {
    Bench bench;
    auto punched = neighbour(own + 1);
    punched.is_over_utp = true;
    punched.held = {{event, rendition, {1}, {9}}};
    auto const id = bench.enter(punched);
    std::mt19937_64 random{1};
    CHECK(bench.all.dial_targets(chunk(9), 8, random).empty());
    CHECK(bench.all.holders(chunk(9), true).empty());
    CHECK_FALSE(bench.all.should_dial_later(id, State::complete));
    CHECK_FALSE(bench.all.should_dial_newcomer(id, chunk(9)));
}
