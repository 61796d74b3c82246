#include "feed/feed.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using Outcome = Feed::Outcome;

namespace {

constexpr EventId event{7};
constexpr RenditionId main_rendition{0};

Record record_of(std::uint64_t number, EventId of = event) {
    auto record = vectors::record();
    record.event = of;
    record.number = {number};
    return record;
}

Statement chunk(std::uint64_t number, EventId of = event) {
    return sign_statement(record_of(number, of), vectors::key());
}

Statement descriptor(std::uint64_t revision, std::string title, EventId of = event) {
    auto value = vectors::descriptor();
    value.event = of;
    value.revision = revision;
    value.title = std::move(title);
    return sign_statement(value, vectors::key());
}

Statement end_after(std::uint64_t last, EventId of = event) {
    return sign_statement(EndRecord{of, {last}, std::nullopt}, vectors::key());
}

Feed make_feed(std::size_t window, std::initializer_list<std::uint64_t> numbers) {
    Feed feed{vectors::key().channel(), event, window};
    for (auto const number : numbers)
        REQUIRE(feed.accept(chunk(number)) == Outcome::accepted);
    return feed;
}

std::vector<std::uint64_t> held(Feed const& feed, std::uint64_t most) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = 1; number <= most; ++number) {
        if (feed.find(main_rendition, {number})) numbers.push_back(number);
    }
    return numbers;
}

std::pair<std::uint64_t, std::size_t> hole(Feed const& feed, std::uint64_t from) {
    auto const found = feed.first_hole(main_rendition, {from});
    return found ? std::pair{found->first.value, found->count}
                 : std::pair{std::uint64_t{0}, std::size_t{0}};
}

std::pair<std::uint64_t, std::size_t> const no_hole{0, 0};
using Numbers = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("A feed knows nothing at first") {
    auto const feed = make_feed(5, {});
    CHECK(feed.descriptor() == nullptr);
    CHECK(feed.end() == nullptr);
    CHECK(feed.newest(main_rendition) == nullptr);
    CHECK(feed.oldest(main_rendition) == nullptr);
    CHECK(hole(feed, 1) == no_hole);
    CHECK(feed.range(main_rendition, {1}, 10, 10'000).empty());
}

TEST_CASE("A feed keeps the newest records of its window") {
    auto feed = make_feed(3, {1, 2, 3, 4, 5});
    CHECK(held(feed, 9) == Numbers{3, 4, 5});
    CHECK(feed.oldest(main_rendition)->value.number == ChunkNumber{3});
    CHECK(feed.newest(main_rendition)->value.number == ChunkNumber{5});
    CHECK(feed.accept(chunk(1)) == Outcome::outside);
    CHECK(held(feed, 9) == Numbers{3, 4, 5});
}

TEST_CASE("A feed takes records in any order") {
    auto feed = make_feed(3, {9, 7});
    CHECK(feed.accept(chunk(8)) == Outcome::accepted);
    CHECK(held(feed, 12) == Numbers{7, 8, 9});
}

TEST_CASE("A number far ahead takes one place and pushes out no more") {
    auto feed = make_feed(3, {1, 2});
    CHECK(feed.accept(chunk(1ULL << 60)) == Outcome::accepted);
    CHECK(feed.newest(main_rendition)->value.number == ChunkNumber{1ULL << 60});
    CHECK(held(feed, 9) == Numbers{1, 2});
    CHECK(feed.accept(chunk(3)) == Outcome::accepted);
    CHECK(held(feed, 9) == Numbers{2, 3});
    auto const [first, count] = hole(feed, 1);
    CHECK(first == (1ULL << 60) - 2);
    CHECK(count == 2);
}

TEST_CASE("Another record for a known number is refused and the first one stays") {
    auto feed = make_feed(5, {1});
    auto other = record_of(1);
    other.sha256 = {};
    CHECK(feed.accept(sign_statement(other, vectors::key())) == Outcome::refused);
    CHECK(feed.find(main_rendition, {1})->value == record_of(1));
    CHECK(feed.accept(chunk(1)) == Outcome::known);
}

TEST_CASE("Clocks, media times and epochs that contradict neighbours are kept") {
    auto feed = make_feed(5, {1});
    auto odd = record_of(2);
    odd.media_time = {};
    odd.wall_time = {};
    odd.epoch = {0};
    CHECK(feed.accept(sign_statement(odd, vectors::key())) == Outcome::accepted);
}

TEST_CASE("Forged and malformed statements are refused") {
    auto feed = make_feed(5, {});
    auto const stranger = ChannelKey::generate();
    CHECK(feed.accept(sign_statement(record_of(1), stranger)) == Outcome::refused);
    CHECK(feed.accept(sign_statement(vectors::descriptor(), stranger)) == Outcome::refused);
    CHECK(feed.accept(sign_statement(EndRecord{event, {1}, {}}, stranger)) == Outcome::refused);
    auto wrong_kind = chunk(1);
    wrong_kind.kind = StatementKind::end;
    CHECK(feed.accept(wrong_kind) == Outcome::refused);
    wrong_kind.kind = StatementKind{77};
    CHECK(feed.accept(wrong_kind) == Outcome::refused);
    CHECK(feed.accept({StatementKind::record, {}}) == Outcome::refused);
    CHECK(held(feed, 9).empty());
}

TEST_CASE("Genuine statements of other events are told apart and change nothing") {
    auto feed = make_feed(5, {1});
    CHECK(feed.accept(chunk(2, {8})) == Outcome::newer_event);
    CHECK(feed.accept(chunk(2, {6})) == Outcome::other_event);
    CHECK(feed.accept(descriptor(1, "a", {8})) == Outcome::newer_event);
    CHECK(feed.accept(descriptor(1, "a", {6})) == Outcome::other_event);
    CHECK(feed.accept(end_after(1, {8})) == Outcome::newer_event);
    CHECK(feed.accept(end_after(0, {6})) == Outcome::other_event);
    CHECK(held(feed, 9) == Numbers{1});
    CHECK(feed.descriptor() == nullptr);
    CHECK(feed.end() == nullptr);
}

TEST_CASE("A forged statement of a newer event moves nobody") {
    auto feed = make_feed(5, {1});
    CHECK(
        feed.accept(sign_statement(record_of(1, {8}), ChannelKey::generate())) == Outcome::refused
    );
}

TEST_CASE("Of descriptors the higher revision holds") {
    auto feed = make_feed(5, {});
    CHECK(feed.accept(descriptor(2, "two")) == Outcome::accepted);
    CHECK(feed.accept(descriptor(1, "one")) == Outcome::known);
    CHECK(feed.accept(descriptor(2, "other two")) == Outcome::known);
    CHECK(feed.descriptor()->value.title == "two");
    CHECK(feed.accept(descriptor(3, "three")) == Outcome::accepted);
    CHECK(feed.accept(descriptor(3, "three")) == Outcome::known);
    CHECK(feed.descriptor()->value.title == "three");
}

TEST_CASE("Only the first end counts") {
    auto feed = make_feed(5, {1, 2});
    CHECK(feed.accept(end_after(2)) == Outcome::accepted);
    CHECK(feed.accept(end_after(2)) == Outcome::known);
    CHECK(feed.accept(end_after(3)) == Outcome::refused);
    CHECK(feed.end()->value.last == ChunkNumber{2});
}

TEST_CASE("Records after the end and ends before a record are refused") {
    auto feed = make_feed(5, {1, 2, 3});
    CHECK(feed.accept(end_after(2)) == Outcome::refused);
    CHECK(feed.accept(end_after(4)) == Outcome::accepted);
    CHECK(feed.accept(chunk(5)) == Outcome::refused);
    CHECK(feed.accept(chunk(4)) == Outcome::accepted);
}

TEST_CASE("keep_from keeps an event's start and the newest record") {
    auto feed = make_feed(3, {5, 6});
    feed.keep_from({1});
    CHECK(held(feed, 9) == Numbers{6});
    for (auto const number : Numbers{1, 2, 3})
        CHECK(feed.accept(chunk(number)) == Outcome::accepted);
    CHECK(feed.accept(chunk(4)) == Outcome::outside);
    CHECK(feed.accept(chunk(7)) == Outcome::accepted);
    CHECK(held(feed, 9) == Numbers{1, 2, 3, 7});
    feed.keep_from({3});
    CHECK(held(feed, 9) == Numbers{3, 7});
    CHECK(feed.accept(chunk(2)) == Outcome::outside);
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{4}, std::size_t{2}});
    feed.keep_from({9});
    CHECK(held(feed, 9) == Numbers{7});
}

TEST_CASE("Renditions are kept apart and are few") {
    auto feed = make_feed(5, {1});
    for (std::uint32_t rendition = 1; rendition < limits::renditions + 3; ++rendition) {
        auto record = record_of(4);
        record.rendition = {rendition};
        auto const expected = rendition < limits::renditions ? Outcome::accepted : Outcome::outside;
        CHECK(feed.accept(sign_statement(record, vectors::key())) == expected);
    }
    CHECK(feed.newest(main_rendition)->value.number == ChunkNumber{1});
    CHECK(feed.newest({1})->value.number == ChunkNumber{4});
    CHECK(feed.newest({99}) == nullptr);
}

TEST_CASE("The first hole lies between known records") {
    auto const feed = make_feed(100, {1, 2, 5, 6, 9});
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{3}, std::size_t{2}});
    CHECK(hole(feed, 4) == std::pair{std::uint64_t{4}, std::size_t{1}});
    CHECK(hole(feed, 5) == std::pair{std::uint64_t{7}, std::size_t{2}});
    CHECK(hole(feed, 9) == no_hole);
    CHECK(hole(feed, 50) == no_hole);
    CHECK(hole(feed, 0) == std::pair{std::uint64_t{3}, std::size_t{2}});
}

TEST_CASE("A hole reaches up to the end's last number") {
    auto feed = make_feed(100, {1, 2});
    CHECK(hole(feed, 1) == no_hole);
    REQUIRE(feed.accept(end_after(4)) == Outcome::accepted);
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{3}, std::size_t{2}});
    REQUIRE(feed.accept(chunk(4)) == Outcome::accepted);
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{3}, std::size_t{1}});
    REQUIRE(feed.accept(chunk(3)) == Outcome::accepted);
    CHECK(hole(feed, 1) == no_hole);
}

TEST_CASE("A feed that knows only an end asks for the records before it") {
    Feed feed{vectors::key().channel(), event, 10};
    REQUIRE(feed.accept(end_after(50)) == Outcome::accepted);
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{41}, std::size_t{10}});
    feed.keep_from({1});
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{1}, std::size_t{10}});
}

TEST_CASE("A hole is never longer than a reply") {
    auto const feed = make_feed(2000, {1, 1500});
    CHECK(hole(feed, 1) == std::pair{std::uint64_t{2}, limits::records_per_reply});
}

TEST_CASE("Filling the first hole again and again comes to an end") {
    auto feed = make_feed(20, {3, 5, 100});
    int filled = 0;
    for (auto found = feed.first_hole(main_rendition, {1}); found && filled < 100; ++filled) {
        REQUIRE(feed.accept(chunk(found->first.value)) == Outcome::accepted);
        found = feed.first_hole(main_rendition, {1});
    }
    CHECK(filled == 19);
    CHECK(feed.oldest(main_rendition)->value.number == ChunkNumber{81});
}

TEST_CASE("A range has the descriptor, the end and then consecutive records") {
    auto feed = make_feed(100, {2, 3, 4, 6});
    REQUIRE(feed.accept(descriptor(1, "a")) == Outcome::accepted);
    REQUIRE(feed.accept(end_after(9)) == Outcome::accepted);
    std::vector const head{descriptor(1, "a"), end_after(9)};
    auto const with_head = [&](std::vector<Statement> const& records) {
        auto all = head;
        all.insert(all.end(), records.begin(), records.end());
        return all;
    };
    CHECK(feed.range(main_rendition, {3}, 10, 100'000) == with_head({chunk(3), chunk(4)}));
    CHECK(feed.range(main_rendition, {1}, 2, 100'000) == with_head({chunk(2), chunk(3)}));
    CHECK(feed.range(main_rendition, {7}, 10, 100'000) == head);
    CHECK(feed.range({5}, {1}, 10, 100'000) == head);
}

TEST_CASE("A range fits its bytes") {
    auto const feed = make_feed(100, {1, 2, 3});
    auto const size = chunk(1).wire.size();
    CHECK(feed.range(main_rendition, {1}, 10, 2 * size).size() == 2);
    CHECK(feed.range(main_rendition, {1}, 10, 2 * size - 1).size() == 1);
    CHECK(feed.range(main_rendition, {1}, 10, 0).empty());
}

TEST_CASE("Statements of older events are passed over unchecked") {
    auto feed = make_feed(5, {1});
    auto const stranger = ChannelKey::generate();
    CHECK(feed.accept(sign_statement(record_of(2, {6}), stranger)) == Outcome::other_event);
}
