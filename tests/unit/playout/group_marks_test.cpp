#include "playout/group_marks.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace minuteswarm;
using std::chrono::seconds;

namespace {

GroupMarks marks_at(ChunkNumber chunk, std::initializer_list<std::uint64_t> offsets) {
    GroupMarks marks;
    for (auto const offset : offsets)
        marks.add({chunk, offset}, {seconds{offset}, {}, false});
    return marks;
}

} // namespace

TEST_CASE("GroupMarks find the mark before a byte and the one after it, in its chunk") {
    auto marks = marks_at({2}, {10, 20});
    marks.add({{1}, 5}, {});
    marks.add({{3}, 5}, {});
    CHECK(marks.around({{2}, 9}).before == nullptr);
    CHECK(marks.around({{2}, 9}).after->first.offset == 10);
    CHECK(marks.around({{2}, 10}).before->first.offset == 10);
    CHECK(marks.around({{2}, 10}).after->first.offset == 20);
    CHECK(marks.around({{2}, 99}).before->first.offset == 20);
    CHECK(marks.around({{2}, 99}).after == nullptr);
    CHECK(marks.around({{4}, 0}).before == nullptr);
    CHECK(std::ranges::distance(marks.of({2})) == 2);
    CHECK(marks.first_chunk() == ChunkNumber{1});
}

TEST_CASE("GroupMarks keep the first statement about a byte") {
    auto marks = marks_at({1}, {10});
    marks.add({{1}, 10}, {seconds{99}, {}, true});
    CHECK(marks.count() == 1);
    CHECK(marks.around({{1}, 10}).before->second.media_time == seconds{10});
}

TEST_CASE("GroupMarks drop what lies before a byte, but for the mark that holds for it") {
    auto marks = marks_at({2}, {10, 20, 30});
    marks.add({{1}, 5}, {});
    marks.drop_before({{2}, 25});
    CHECK(marks.count() == 2);
    CHECK(marks.around({{2}, 25}).before->first.offset == 20);
    marks.drop_before({{3}, 0});
    CHECK(marks.count() == 0);
    CHECK_FALSE(marks.first_chunk());
}

TEST_CASE("GroupMarks fit into what is known of a chunk") {
    auto marks = marks_at({1}, {10, 20, 30});
    marks.add({{2}, 5}, {});
    marks.fit({1}, 30, seconds{12}, seconds{18});
    CHECK(marks.count() == 3);
    CHECK(marks.around({{1}, 10}).before->second.media_time == seconds{12});
    CHECK(marks.around({{1}, 20}).before->second.media_time == seconds{18});
    marks.drop({1});
    CHECK(marks.first_chunk() == ChunkNumber{2});
}

TEST_CASE("GroupMarks are bounded") {
    GroupMarks marks;
    for (std::uint64_t offset = 0; offset < 2 * limits::edge_marks; ++offset)
        marks.add({{1}, offset}, {});
    CHECK(marks.count() == limits::edge_marks);
    CHECK(marks.is_full());
}
