#include "unit/swarm/neighbourhood_bench.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::neighbourhood_bench;
using namespace std::chrono_literals;

TEST_CASE("The source is told nothing that it knows, and asked nothing that others know") {
    Bench bench;
    auto const source = bench.enter_source(neighbour(1));
    bench.all.on_have(source, have(5, State::complete));
    CHECK(bench.all.one_to_ask(bench.random) == source); // there is nobody else
    CHECK(bench.all.announcers(chunk(5)) == Ids{source});
    auto const viewer = bench.enter(neighbour(2));
    bench.all.on_have(viewer, have(5, State::complete));
    CHECK(
        bench.all.push_targets(signature(1), chunk(6), {}, limits::push_fanout, bench.random) ==
        Ids{viewer}
    );
    // A descriptor may be that of another publisher with the same key.
    auto const told =
        bench.all.push_targets(signature(2), {}, {}, limits::push_fanout, bench.random);
    CHECK(told.size() == 2);
    CHECK(bench.all.first_receivers(2) == Ids{viewer});
    CHECK(bench.all.announcers(chunk(5)) == Ids{viewer});
    int at_source = 0;
    for (int i = 0; i < 1200; ++i)
        at_source += bench.all.one_to_ask(bench.random) == source ? 1 : 0;
    CHECK(at_source > 0); // what nobody else has would never come
    CHECK(at_source < 200);
    CHECK_FALSE(Bench{}.all.one_to_ask(bench.random));
}

TEST_CASE("The source is dialled only if it announced the chunk or nobody else is there") {
    Bench bench;
    auto source = neighbour(1);
    source.held = {{event, rendition, {1}, {100}}};
    auto const first = bench.enter_source(source);
    CHECK(bench.dial_targets(5) == Ids{first});

    auto const viewer = bench.enter(neighbour(2));
    bench.all.on_have(viewer, have(5, State::joining));
    CHECK(bench.dial_targets(5) == Ids{viewer});

    bench.all.on_have(first, have(5, State::complete));
    CHECK(bench.dial_targets(5) == Ids{first, viewer});
}

TEST_CASE("The source is left alone while a higher follower is expected to dial") {
    Bench bench;
    auto source = neighbour(1);
    source.held = {{event, rendition, {1}, {100}}};
    bench.enter_source(source);
    auto const higher = bench.enter(neighbour(own + 1));
    bench.all.on_have(higher, have(4, State::joining));
    CHECK(bench.dial_targets(5) == Ids{});
}

TEST_CASE("Whoever was at the source's goes there again for a reason only") {
    Bench bench;
    bench.all.set_room({});
    auto const source = neighbour(1);
    auto const id = bench.enter_source(source);
    bench.enter(neighbour(2));
    bench.all.leave(id);
    CHECK_FALSE(bench.all.welcome(source.endpoint));
    CHECK(bench.all.welcome(neighbour(3).endpoint));
    bench.all.expect(source.endpoint);
    CHECK(bench.all.welcome(source.endpoint));
    bench.all.leave({2});
    CHECK(bench.all.welcome(source.endpoint)); // there is nobody else
}

TEST_CASE("One that claims to be the source is like any other until it has proven it") {
    Bench bench;
    bench.all.set_room({});
    auto claiming = neighbour(1);
    claiming.claims_source = true;
    auto const id = bench.enter(claiming);
    auto const other = bench.enter(neighbour(2));
    CHECK_FALSE(bench.all.source());
    CHECK(bench.all.redial_interval(0s, 0) == 2s);
    CHECK(bench.all.welcome(claiming.endpoint));
    bench.all.on_have(id, have(5, State::complete));
    bench.all.on_have(other, have(5, State::complete));
    CHECK(sorted(bench.all.holders(chunk(5), false)) == Ids{id, other});

    CHECK(bench.all.note_source(id).empty());
    CHECK(bench.all.source() == claiming.endpoint);
    CHECK(bench.all.redial_interval(0s, 0) == 30s);
    CHECK_FALSE(bench.all.welcome(claiming.endpoint));
    CHECK(bench.all.holders(chunk(5), false) == Ids{other});
    CHECK(bench.all.note_source({99}).empty()); // has gone
    CHECK(bench.all.source() == claiming.endpoint);
}

TEST_CASE("A source that came back from elsewhere is the one to dial once its old link has ended") {
    Bench bench;
    auto const before = neighbour(1);
    auto const old = bench.enter_source(before);
    auto const after = neighbour(2);
    bench.enter_source(after);
    CHECK(bench.all.source() == before.endpoint); // nobody takes its place while it is there
    bench.all.leave(old);
    CHECK(bench.all.source() == after.endpoint);
}
