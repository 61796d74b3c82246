#include "base/limits.hpp"
#include "edge/uplink_budget.hpp"
#include "edge/wire_size.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mbit = 1'000'000;

UplinkBudget budget(std::uint64_t uplink, std::uint64_t bitrate = mbit, bool is_source = false) {
    return UplinkBudget{{{250, 8, 1, {}}, bitrate, uplink, is_source}};
}

// Of 1 Mbit/s a block of 3906 bytes, and what acknowledges the three packets of each that comes.
constexpr double block_on_the_line = 3906 + block_overhead + 3 * packet_headers;
constexpr double acknowledged = 9 * 2 * packet_headers * 4 * 8;

GroupHeader group(std::uint64_t number, std::uint32_t length) {
    GroupHeader header;
    header.group = {number};
    header.media_time = number * 250ms;
    header.length = length;
    return header;
}

} // namespace

TEST_CASE("An uplink of one and a half times the bitrate carries every stripe once") {
    CHECK(budget(mbit * 3 / 2).slots() == 9);
    CHECK(budget(mbit / 100).slots() == 0);
    CHECK(budget(0).slots() == budget(2 * mbit).slots());
    CHECK(budget(1000 * mbit).slots() == limits::edge_slots);
}

TEST_CASE("A narrow uplink keeps something for what goes beside the stream") {
    auto const radio = [](std::uint64_t uplink) {
        return UplinkBudget{{{1000, 2, 0, {}}, 32'000, uplink}}.slots();
    };
    // Blocks of 18.3 kbit/s with their headers: 3 would leave a line of 64 kbit/s, of which 57.6
    // were told, no room for adverts.
    CHECK(radio(57'600) == 2);
    CHECK(radio(50'400) == 2); // a source behind a modem gives the stream once
    CHECK(radio(230'400) == 11);
    CHECK(radio(4'000) == 0);
    // With two of 40 kbit/s from 80, a swarm would have not one copy to spare.
    CHECK(UplinkBudget{{{500, 2, 0, {}}, 40'000, 80'000}}.slots() == 3);
}

TEST_CASE("What slots take of the uplink is the stream's bytes, and what blocks and packets add") {
    CHECK(budget(mbit).promised(8) == Approx(8 * 4 * 8 * block_on_the_line));
    CHECK(budget(mbit).promised(0) == 0);
}

TEST_CASE("A viewer acknowledges what comes, a source nothing") {
    // Ten and an eighth; acknowledgements take more than a quarter of one.
    constexpr auto uplink = 1'500'000;
    CHECK(budget(uplink, mbit, true).slots() == 10);
    CHECK(budget(uplink).slots() == 9);
}

TEST_CASE("The budget follows the stream once groups have told enough of it") {
    auto follows = budget(2 * mbit);
    auto const before = follows.slots();
    follows.note(group(0, 62'500)); // twice the bitrate that was given
    follows.note(group(1, 62'500));
    CHECK(follows.slots() == before);
    for (std::uint64_t i = 2; i <= 40; ++i)
        follows.note(group(i, 62'500));
    CHECK(follows.bitrate() == Approx(2.0 * mbit));
    CHECK(follows.slots() == budget(2 * mbit, 2 * mbit).slots());
    CHECK(follows.slots() < before);
    follows.note(group(4, 1)); // late
    CHECK(follows.bitrate() == Approx(2.0 * mbit));
}

TEST_CASE("A bitrate that was not given is what a second of groups has") {
    auto follows = budget(2 * mbit, 0);
    CHECK(follows.bitrate() > 2.0 * mbit); // no promise that the uplink could not keep
    for (std::uint64_t i = 0; i <= 4; ++i)
        follows.note(group(i, 31'250));
    CHECK(follows.bitrate() == Approx(1.0 * mbit));
}

TEST_CASE("Groups that did not come make the stream no smaller") {
    auto follows = budget(2 * mbit);
    for (std::uint64_t i = 0; i <= 40; ++i) {
        if (i % 5 != 0) follows.note(group(i, 62'500)); // twice the bitrate that was given
    }
    CHECK(follows.bitrate() == Approx(2.0 * mbit));
}

TEST_CASE("Slots stay while the bitrate moves a little, or for a scene") {
    auto follows = budget(mbit * 154 / 100);
    std::uint64_t number = 0;
    std::size_t slots = 0;
    auto const play = [&](int seconds, double times) {
        for (int i = 0; i < 4 * seconds; ++i) {
            auto const has_keyframe = number % 8 == 0;
            auto const part = times * (has_keyframe ? 4.5 : 0.5) / 4;
            follows.note(group(number++, static_cast<std::uint32_t>(part * mbit / 8)));
            slots = follows.slots(slots);
        }
        return slots;
    };
    CHECK(play(60, 1) == 10);
    CHECK(play(4, 1.3) == 10);
    CHECK(play(60, 1) == 10);
    CHECK(play(60, 1.02) == 10);
    CHECK(budget(mbit * 154 / 100, mbit * 104 / 100).slots() == 9); // if there were none yet
    CHECK(play(60, 1.1) == 9);
    CHECK(play(60, 0.8) == budget(mbit * 154 / 100, mbit * 8 / 10).slots());
}

TEST_CASE("Chunks get what slots leave of the uplink, and little while blocks wait") {
    auto const given = budget(3 * mbit);
    auto const left = 0.92 * 3 * mbit - acknowledged;
    CHECK(given.left_for_chunks(0, false) == Approx(left));
    CHECK(given.left_for_chunks(8, false) == Approx(left - given.promised(8)));
    CHECK(given.left_for_chunks(8, true) == Approx(0.05 * 3 * mbit));
    CHECK(given.left_for_chunks(1000, false) == Approx(0.05 * 3 * mbit));
}

TEST_CASE("A message's size on the line is with the headers of its packets") {
    CHECK(wire_size(0) == 0);
    CHECK(wire_size(1) == 1 + packet_headers);
    CHECK(wire_size(packet_payload) == packet_payload + packet_headers);
    CHECK(wire_size(packet_payload + 1) == packet_payload + 1 + 2 * packet_headers);
    CHECK(acknowledgement_size(1) == packet_headers);
    CHECK(acknowledgement_size(2 * packet_payload) == packet_headers);
    CHECK(acknowledgement_size(2 * packet_payload + 1) == 2 * packet_headers);
}
