#include "playout/cursor.hpp"
#include "unit/playout/timeline_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

namespace {

constexpr std::uint64_t plenty = 1'000'000;

void check_slice(
    std::optional<Slice> const& slice,
    std::uint64_t number,
    std::uint64_t offset,
    std::uint64_t length
) {
    REQUIRE(slice);
    CHECK(slice->chunk == ChunkNumber{number});
    CHECK(slice->offset == offset);
    CHECK(slice->length == length);
}

} // namespace

TEST_CASE("Cursor waits for the first released byte") {
    Player player;
    player.play(0);
    auto live = Cursor::live();
    auto oldest = Cursor::oldest();
    CHECK_FALSE(live.next(player.timeline, plenty));
    CHECK_FALSE(oldest.next(player.timeline, plenty));
    player.have(1);
    player.at(seconds{0});
    check_slice(live.next(player.timeline, plenty), 1, 0, chunk_size);
    check_slice(oldest.next(player.timeline, plenty), 1, 0, chunk_size);
    CHECK_FALSE(live.next(player.timeline, plenty));
}

TEST_CASE("Cursor starts live at the newest closed segment and follows the growing one") {
    Player player;
    player.play(3);
    player.have(4, 100);
    player.at(seconds{0});
    auto cursor = Cursor::live();
    check_slice(cursor.next(player.timeline, plenty), 3, 0, chunk_size);
    auto const slice = cursor.next(player.timeline, plenty);
    check_slice(slice, 4, 0, 100);
    CHECK_FALSE(slice->is_discontinuity);
    player.have(4, 150);
    player.at(seconds{0});
    check_slice(cursor.next(player.timeline, plenty), 4, 100, 50);
    CHECK(cursor.position() == Timeline::Position{{4}, 150});
}

TEST_CASE("Cursor starts live behind the newest gap") {
    Player player;
    player.play(1);
    player.have(3, 100);
    player.at(seconds{4});
    auto cursor = Cursor::live();
    auto const slice = cursor.next(player.timeline, plenty);
    check_slice(slice, 3, 0, 100);
    CHECK_FALSE(slice->is_discontinuity);
}

TEST_CASE("Cursor starts live at a random access point") {
    Player player;
    for (std::uint64_t number = 1; number <= 4; ++number) {
        auto next = chunk(number);
        next.is_independent = number == 1 || number == 2;
        player.timeline.add(next);
        player.timeline.set_available({number}, first(chunk_size));
    }
    player.timeline.start_at({1});
    player.at(seconds{0});
    auto cursor = Cursor::live();
    check_slice(cursor.next(player.timeline, plenty), 2, 0, chunk_size);
    check_slice(cursor.next(player.timeline, plenty), 3, 0, chunk_size);
}

TEST_CASE("Cursor starts with the oldest retained segment and takes no more than asked for") {
    Player player;
    player.play(3);
    player.timeline.forget_before({2});
    auto cursor = Cursor::oldest();
    check_slice(cursor.next(player.timeline, 3000), 2, 0, 3000);
    check_slice(cursor.next(player.timeline, 3000), 2, 3000, 1000);
    check_slice(cursor.next(player.timeline, 3000), 3, 0, 3000);
    CHECK_FALSE(cursor.next(player.timeline, 0));
    CHECK(cursor.jumps() == 0);
}

TEST_CASE("Cursor marks a gap once") {
    Player player;
    player.play(1);
    player.have(2, 500);
    player.at(seconds{0});
    player.have(3, 100);
    auto cursor = Cursor::oldest();
    check_slice(cursor.next(player.timeline, plenty), 1, 0, chunk_size);
    check_slice(cursor.next(player.timeline, plenty), 2, 0, 500);
    CHECK_FALSE(cursor.next(player.timeline, plenty));
    player.at(seconds{5});
    auto const after = cursor.next(player.timeline, 60);
    check_slice(after, 3, 0, 60);
    CHECK(after->is_discontinuity);
    CHECK_FALSE(cursor.next(player.timeline, plenty)->is_discontinuity);
    CHECK(cursor.jumps() == 0);
}

TEST_CASE("Cursor marks a new epoch") {
    Player player;
    player.play(1);
    auto flagged = chunk(2);
    flagged.is_discontinuity = true;
    auto renumbered = chunk(3);
    renumbered.epoch = {1};
    Timeline timeline{Timeline::Options{}};
    for (auto const& next : {chunk(1), flagged, renumbered}) {
        timeline.add(next);
        timeline.set_available(next.number, first(chunk_size));
    }
    timeline.start_at({1});
    timeline.advance(start_of_test);
    auto cursor = Cursor::oldest();
    CHECK_FALSE(cursor.next(timeline, plenty)->is_discontinuity);
    CHECK(cursor.next(timeline, plenty)->is_discontinuity);
    CHECK(cursor.next(timeline, plenty)->is_discontinuity);
}

TEST_CASE("Cursor of a slow output is moved to the oldest retained segment") {
    Player player;
    player.play(3);
    auto cursor = Cursor::oldest();
    cursor.next(player.timeline, 1000);
    player.timeline.forget_before({3});
    auto const slice = cursor.next(player.timeline, plenty);
    check_slice(slice, 3, 0, chunk_size);
    CHECK(slice->is_discontinuity);
    CHECK(cursor.jumps() == 1);
}

TEST_CASE("Cursor that has taken all of a dropped segment goes on without a jump") {
    Player player;
    player.play(3);
    auto cursor = Cursor::oldest();
    cursor.next(player.timeline, plenty);
    player.timeline.forget_before({2});
    auto const next = cursor.next(player.timeline, plenty);
    check_slice(next, 2, 0, chunk_size);
    CHECK_FALSE(next->is_discontinuity);
    CHECK(cursor.jumps() == 0);

    auto skipping = Cursor::oldest();
    check_slice(skipping.next(player.timeline, plenty), 2, 0, chunk_size);
    player.have(4);
    player.at(seconds{0});
    player.timeline.forget_before({4});
    auto const jumped = skipping.next(player.timeline, plenty);
    check_slice(jumped, 4, 0, chunk_size);
    CHECK(jumped->is_discontinuity);
    CHECK(skipping.jumps() == 1);
}

TEST_CASE("Cursor has ended when the timeline has and all was taken") {
    Player player;
    player.play(2);
    auto cursor = Cursor::oldest();
    player.timeline.end({3});
    player.have(3, 700);
    player.at(seconds{0});
    while (cursor.next(player.timeline, 999))
        CHECK_FALSE(cursor.has_ended(player.timeline));
    CHECK_FALSE(cursor.has_ended(player.timeline));
    player.have(3);
    player.at(seconds{0});
    REQUIRE(player.timeline.state() == Timeline::State::ended);
    CHECK_FALSE(cursor.has_ended(player.timeline));
    check_slice(cursor.next(player.timeline, plenty), 3, 700, 3300);
    CHECK(cursor.has_ended(player.timeline));

    Player empty;
    empty.timeline.end({0});
    empty.at(seconds{0});
    CHECK(Cursor::live().has_ended(empty.timeline));
}

TEST_CASE("Cursor follows an open chunk, its record and the next one without a discontinuity") {
    LivePlayer player;
    player.play_groups(6);
    auto cursor = Cursor::oldest();
    check_slice(cursor.next(player.timeline, plenty), 1, 0, 6 * group_size);
    player.groups(1, 6, 16);
    auto record = chunk(1);
    record.epoch = EpochNumber{4};
    player.timeline.add(record);
    player.groups(2, 0, 2);
    player.at(seconds{1});
    check_slice(cursor.next(player.timeline, plenty), 1, 6 * group_size, 10 * group_size);
    auto const next = cursor.next(player.timeline, plenty);
    check_slice(next, 2, 0, 2 * group_size);
    CHECK_FALSE(next->is_discontinuity);
    CHECK(cursor.jumps() == 0);
}

TEST_CASE("Cursor marks a skip inside a chunk") {
    LivePlayer player;
    player.play_groups(6);
    auto cursor = Cursor::oldest();
    check_slice(cursor.next(player.timeline, plenty), 1, 0, 6 * group_size);
    player.groups(1, 8, 10);
    player.at(seconds{4});
    auto const after = cursor.next(player.timeline, 300);
    check_slice(after, 1, 8 * group_size, 300);
    CHECK(after->is_discontinuity);
    auto const rest = cursor.next(player.timeline, plenty);
    check_slice(rest, 1, 8 * group_size + 300, 200);
    CHECK_FALSE(rest->is_discontinuity);
    CHECK(cursor.jumps() == 0);
}

TEST_CASE("Cursor starts in the middle of a chunk when playing does") {
    LivePlayer player;
    player.groups(1, 4, 10);
    player.timeline.start_at({{1}, 4 * group_size});
    player.at(seconds{0});
    auto oldest = Cursor::oldest();
    auto const slice = oldest.next(player.timeline, plenty);
    check_slice(slice, 1, 4 * group_size, 6 * group_size);
    CHECK_FALSE(slice->is_discontinuity);
}

TEST_CASE("Cursor starts live a second behind the newest byte of an open chunk") {
    LivePlayer player;
    player.play_groups(15); // the newest group begins at 3.5 s
    auto cursor = Cursor::live();
    check_slice(cursor.next(player.timeline, plenty), 1, 8 * group_size, 7 * group_size);

    player.groups(1, 15, 16);
    player.know(1);
    player.groups(2, 0, 9);
    player.at(seconds{1});
    auto at_start = Cursor::live();
    check_slice(at_start.next(player.timeline, plenty), 2, 4 * group_size, 5 * group_size);

    player.timeline.set_edge(false);
    auto without_edge = Cursor::live();
    check_slice(without_edge.next(player.timeline, plenty), 1, 0, chunk_size);
}

TEST_CASE("Cursor starts live behind the newest gap of an open chunk, however little there is") {
    LivePlayer player;
    player.play_groups(6);
    player.groups(1, 8, 10);
    player.at(seconds{4});
    auto cursor = Cursor::live();
    check_slice(cursor.next(player.timeline, plenty), 1, 8 * group_size, 2 * group_size);
}

TEST_CASE("Cursor of a slow output is moved to a random access point, also inside a chunk") {
    LivePlayer player;
    player.play_groups(6);
    auto cursor = Cursor::oldest();
    check_slice(cursor.next(player.timeline, 100), 1, 0, 100);
    player.know(1);
    player.groups(2, 4, 6); // a gap up to here
    player.at(seconds{9});
    player.timeline.forget_before({2});
    auto const slice = cursor.next(player.timeline, plenty);
    check_slice(slice, 2, 4 * group_size, 2 * group_size);
    CHECK(slice->is_discontinuity);
    CHECK(cursor.jumps() == 1);
}
