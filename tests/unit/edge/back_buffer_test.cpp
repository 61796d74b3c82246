#include "edge/back_buffer.hpp"
#include "unit/edge/edge_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace minuteswarm;
using namespace std::chrono_literals;
using Outcome = BackBuffer::Outcome;

namespace {

constexpr MonotonicTime start{};
constexpr std::uint64_t window_groups = 80; // of 250 ms

BackBuffer::Options options() {
    return {{1'700'000'000'123}, {}};
}

BackBuffer::Added offer(
    BackBuffer& buffer, Block const& block, ChannelId const& channel = edge_vectors::key().channel()
) {
    return buffer.add(block, start, GenuineSeal::check(block.claimed_seal(), channel));
}

Outcome add(BackBuffer& buffer, Block const& block) {
    return offer(buffer, block).outcome;
}

void add_group(BackBuffer& buffer, std::uint64_t number, std::uint8_t run = 1) {
    for (auto const& block : edge_builder::blocks(number, {}, run))
        offer(buffer, block);
}

bool holds(BackBuffer const& buffer, std::uint64_t number, std::uint8_t run = 1) {
    return buffer.block(edge_builder::run(run), {number}, {0}, start).has_value();
}

} // namespace

TEST_CASE("A genuine block is taken once") {
    BackBuffer buffer{options()};
    auto const blocks = edge_builder::blocks(5);
    CHECK(add(buffer, blocks[3]) == Outcome::added);
    CHECK(add(buffer, blocks[3]) == Outcome::duplicate);
    CHECK(add(buffer, blocks[4]) == Outcome::added);
    auto const held = buffer.block(edge_builder::run(1), {5}, {3}, start);
    REQUIRE(held);
    CHECK(edge_builder::is_same(*held, blocks[3]));
    CHECK(held->path == blocks[3].path);
}

TEST_CASE("A block that the channel did not sign is refused, whatever is held of its group") {
    BackBuffer buffer{options()};
    auto const blocks = edge_builder::blocks(5);
    auto forged = blocks[3];
    auto payload = *forged.payload;
    payload[0] ^= 1;
    forged.payload = std::make_shared<Bytes const>(payload);
    CHECK(add(buffer, forged) == Outcome::unchecked);
    CHECK(buffer.groups() == 0);
    CHECK_FALSE(buffer.newest());

    REQUIRE(add(buffer, blocks[4]) == Outcome::added);
    CHECK(add(buffer, forged) == Outcome::unchecked);
    auto unsigned_one = blocks[3];
    unsigned_one.signature.bytes[5] ^= 1;
    CHECK(add(buffer, unsigned_one) == Outcome::unchecked);
    CHECK(add(buffer, blocks[3]) == Outcome::added);
}

TEST_CASE("A seal vouches for its own group alone") {
    BackBuffer buffer{options()};
    auto const block = edge_builder::blocks(5)[0];
    auto const other = edge_builder::blocks(6)[0];
    auto const seal = GenuineSeal::check(other.claimed_seal(), edge_vectors::key().channel());
    REQUIRE(seal);
    CHECK(buffer.add(block, start, seal).outcome == Outcome::unchecked);
    CHECK(buffer.add(other, start, seal).outcome == Outcome::added);
    CHECK(buffer.add(block, start).outcome == Outcome::unchecked);
    CHECK(buffer.groups() == 1);
}

TEST_CASE("A block of another channel, event or rendition is refused") {
    BackBuffer stranger{options()};
    auto other_channel = edge_vectors::key().channel();
    other_channel.bytes[0] ^= 1;
    auto const block = edge_builder::blocks(5)[0];
    CHECK(offer(stranger, block, other_channel).outcome == Outcome::unchecked);
    auto other_event = options();
    ++other_event.event;
    BackBuffer later{other_event};
    CHECK(add(later, block) == Outcome::elsewhere);
    auto other_rendition = options();
    ++other_rendition.rendition;
    BackBuffer small{other_rendition};
    CHECK(add(small, block) == Outcome::elsewhere);
}

TEST_CASE("Of two signed groups with one number the first one stays, and neither sender is to blame"
) {
    BackBuffer buffer{options()};
    add_group(buffer, 5);
    auto other = edge_builder::group(5);
    other.bytes[0] ^= 1;
    other.header.parity = 2;
    CHECK(add(buffer, edge_builder::blocks(other)[9]) == Outcome::conflicting);
    other.header.group = {6};
    CHECK(add(buffer, edge_builder::blocks(other)[1]) == Outcome::conflicting);
    CHECK(buffer.groups() == 1);
}

TEST_CASE("A group's bytes come with each block, and with the last one it needs") {
    BackBuffer buffer{options()};
    auto const group = edge_builder::group(5);
    auto const blocks = edge_builder::blocks(group);
    Bytes bytes(group.bytes.size());
    auto const take = [&](BackBuffer::Added const& added) {
        for (auto const& part : added.bytes) {
            auto const at = part.offset.value - group.header.offset.value;
            std::ranges::copy(part.view(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
        }
    };
    for (std::size_t i = 1; i < 8; ++i) {
        auto const added = offer(buffer, blocks[i]);
        CHECK(added.bytes.size() == 1);
        CHECK_FALSE(added.has_all_data);
        take(added);
    }
    auto const last = offer(buffer, blocks[8]);
    CHECK(last.has_all_data);
    CHECK(last.rebuilt == 1);
    CHECK(last.bytes.size() == 1);
    take(last);
    CHECK(bytes == group.bytes);
    CHECK(add(buffer, blocks[0]) == Outcome::duplicate);
}

TEST_CASE("Parity that never came can be made to be passed on") {
    BackBuffer buffer{options()};
    auto const blocks = edge_builder::blocks(5);
    for (std::size_t i = 0; i < 8; ++i)
        offer(buffer, blocks[i]);
    CHECK_FALSE(buffer.block(edge_builder::run(1), {5}, {8}, start));
    CHECK(buffer.regenerate(edge_builder::run(1), {5}, start) == 0x100);
    auto const made = buffer.block(edge_builder::run(1), {5}, {8}, start);
    REQUIRE(made);
    CHECK(edge_builder::is_same(*made, blocks[8]));
    CHECK(buffer.memory() == 9 * 500);
    CHECK(buffer.regenerate(edge_builder::run(1), {6}, start) == 0);
    CHECK(buffer.regenerate(edge_builder::run(2), {5}, start) == 0);
}

TEST_CASE("What is older than the window goes, and does not come back") {
    BackBuffer buffer{options()};
    for (std::uint64_t number = 0; number < 200; ++number)
        add_group(buffer, number);
    CHECK(buffer.groups() == window_groups + 1);
    CHECK(buffer.memory() == (window_groups + 1) * 9 * 500);
    CHECK_FALSE(holds(buffer, 199 - window_groups - 1));
    CHECK(holds(buffer, 199 - window_groups));
    CHECK(add(buffer, edge_builder::blocks(50)[0]) == Outcome::old);
    CHECK(add(buffer, edge_builder::blocks(199 - window_groups - 1)[0]) == Outcome::old);
}

TEST_CASE("A late joiner takes groups older than the first it saw") {
    BackBuffer buffer{options()};
    add_group(buffer, 100);
    add_group(buffer, 60);
    CHECK(holds(buffer, 60));
    CHECK(buffer.newest()->group == GroupNumber{100});
    CHECK(add(buffer, edge_builder::blocks(15)[0]) == Outcome::old);
}

TEST_CASE("A forged block far ahead moves nothing, a genuine one makes what it left behind go") {
    BackBuffer buffer{options()};
    add_group(buffer, 5);
    auto far = edge_builder::blocks(5000)[0];
    far.header.media_time += 1us;
    CHECK(add(buffer, far) == Outcome::unchecked);
    CHECK(holds(buffer, 5));
    CHECK(add(buffer, edge_builder::blocks(5000)[0]) == Outcome::added);
    CHECK_FALSE(holds(buffer, 5));
    CHECK(buffer.groups() == 1);
}

TEST_CASE("Memory stays within its bound, and the newest groups are those that stay") {
    auto little = options();
    little.memory = 10 * 9 * 500;
    BackBuffer buffer{little};
    for (std::uint64_t number = 0; number < 50; ++number) {
        add_group(buffer, number);
        CHECK(buffer.memory() <= little.memory);
    }
    CHECK(buffer.groups() == 10);
    CHECK(holds(buffer, 49));
    CHECK_FALSE(holds(buffer, 39));
    CHECK(add(buffer, edge_builder::blocks(39)[0]) == Outcome::old);
}

TEST_CASE("The number of groups stays within its bound") {
    BackBuffer buffer{options()};
    for (std::uint64_t number = 0; number < limits::edge_groups + 20; ++number) {
        auto group = edge_builder::group(number, {1, 1, 0});
        group.header.media_time = {};
        group.header.chunk = {number + 1};
        group.header.offset = {};
        offer(buffer, edge_builder::blocks(group)[0]);
    }
    CHECK(buffer.groups() == limits::edge_groups);
}

TEST_CASE("A new run has a place of its own, and the one before it stays while it is in the window"
) {
    BackBuffer buffer{options()};
    for (std::uint64_t number = 0; number < 40; ++number)
        add_group(buffer, number);
    // Groups count from 0 again; chunks and media time go on.
    auto const of_new_run = [](std::uint64_t number) {
        auto group = edge_builder::group(number, {}, 2);
        group.header.chunk = {11 + number / 4};
        group.header.media_time += 10s;
        return edge_builder::blocks(group);
    };
    for (auto const& block : of_new_run(0))
        REQUIRE(add(buffer, block) == Outcome::added);
    CHECK(holds(buffer, 0, 2));
    CHECK(holds(buffer, 0, 1));
    CHECK(buffer.newest()->run == edge_builder::run(2));
    auto missing = edge_builder::group(39);
    missing.header.group = {40};
    CHECK(add(buffer, edge_builder::blocks(missing)[0]) == Outcome::added);
    CHECK(buffer.newest()->run == edge_builder::run(2));

    for (std::uint64_t number = 1; number < 81; ++number)
        offer(buffer, of_new_run(number)[0]);
    CHECK_FALSE(holds(buffer, 39, 1));
    CHECK(add(buffer, edge_builder::blocks(39)[1]) == Outcome::old);
    CHECK(holds(buffer, 80, 2));
}

TEST_CASE("Of three runs within one window the oldest goes") {
    BackBuffer buffer{options()};
    auto const of_run = [](std::uint8_t run) {
        auto group = edge_builder::group(0, {}, run);
        group.header.chunk = {run};
        group.header.media_time = run * 1s;
        return edge_builder::blocks(group);
    };
    REQUIRE(add(buffer, of_run(2)[0]) == Outcome::added);
    REQUIRE(add(buffer, of_run(1)[0]) == Outcome::added);
    REQUIRE(add(buffer, of_run(3)[0]) == Outcome::added);
    CHECK_FALSE(holds(buffer, 0, 1));
    CHECK(holds(buffer, 0, 2));
    CHECK(holds(buffer, 0, 3));
    CHECK(buffer.groups() == 2);
    CHECK(add(buffer, of_run(1)[0]) == Outcome::old);
}

TEST_CASE("What is held from a group on is told, oldest first") {
    BackBuffer buffer{options()};
    add_group(buffer, 5);
    offer(buffer, edge_builder::blocks(7)[2]);
    add_group(buffer, 8);
    auto const run = edge_builder::run(1);
    auto const held = buffer.held_since(run, {6}, 10);
    CHECK(held == std::vector<StripeList::Entry>{{{7}, 0b100}, {{8}, 0x1ff}});
    CHECK(buffer.held_since(run, {0}, 1) == std::vector<StripeList::Entry>{{{5}, 0x1ff}});
    CHECK(buffer.held_since(run, {9}, 10).empty());
    CHECK(buffer.held_since(edge_builder::run(2), {0}, 10).empty());
}

TEST_CASE("The newest random access point at or before a media time is found") {
    BackBuffer buffer{options()};
    for (std::uint64_t number = 3; number < 12; ++number)
        add_group(buffer, number);
    CHECK(buffer.random_access_point(10s)->group == GroupNumber{8});
    CHECK(buffer.random_access_point(2s)->group == GroupNumber{8});
    CHECK(buffer.random_access_point(1999ms)->group == GroupNumber{4});
    CHECK_FALSE(buffer.random_access_point(999ms));
}

TEST_CASE("The source's own groups are held like others") {
    BackBuffer buffer{options()};
    buffer.add_own(edge_builder::blocks(5), start);
    CHECK(buffer.memory() == 9 * 500);
    CHECK(buffer.held_since(edge_builder::run(1), {0}, 1)[0].stripes == 0x1ff);
    CHECK(add(buffer, edge_builder::blocks(5)[0]) == Outcome::duplicate);
}
