#include "playout/ts_joiner.hpp"
#include "unit/playout/ts_builder.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace minuteswarm;
using namespace minuteswarm::playout_test;

namespace {

constexpr std::uint16_t video = 0x100;
constexpr std::uint16_t audio = 0x101;
constexpr std::uint64_t frame = 3600; // 40 ms

/// Tables, then video frames of three packets with reordered presentation, then audio beside them.
Bytes make_part(std::uint64_t first_dts, std::size_t frames, std::uint8_t first_counter = 0) {
    TsBuilder ts{first_counter};
    ts.add({0});
    ts.add({0x1000});
    for (std::size_t at = 0; at < frames; ++at) {
        auto const dts = (first_dts + at * frame) & ts_clock_mask;
        TsSpec start{video};
        start.pts = (dts + 2 * frame) & ts_clock_mask;
        start.dts = dts;
        if (at % 2 == 0) start.pcr = (dts - 18000) & ts_clock_mask;
        ts.add(start);
        ts.add({video});
        TsSpec sound{audio};
        sound.pts = (dts - 2000) & ts_clock_mask;
        ts.add(sound);
        TsSpec stuffing{video};
        stuffing.has_payload = false;
        ts.add(stuffing);
        ts.add({video});
    }
    return ts.bytes();
}

Bytes join_parts(std::vector<Bytes> const& parts) {
    TsJoiner joiner;
    Bytes out;
    for (std::size_t at = 0; at < parts.size(); ++at)
        append(out, joiner.join(parts[at], at > 0));
    append(out, joiner.finish());
    return out;
}

void check_continuous(Bytes const& bytes) {
    auto const report = read_ts(bytes);
    CHECK(report.lost_sync == 0);
    CHECK(report.counter_errors == 0);
    auto const pcr_step = largest_step(report.pcrs);
    REQUIRE(pcr_step);
    CHECK(*pcr_step <= 27000);
    for (auto const& [pid, times] : report.dts) {
        CAPTURE(pid);
        auto const step = largest_step(times);
        REQUIRE(step);
        CHECK(*step <= 18000);
    }
}

Bytes random_bytes(std::mt19937& random, std::size_t size) {
    Bytes bytes(size);
    for (auto& value : bytes)
        value = byte(random());
    return bytes;
}

} // namespace

TEST_CASE("TS joiner passes bytes unchanged while there is no discontinuity, however they are cut"
) {
    auto const part = make_part(900'000, 20, 7);
    for (std::size_t const cut : {1U, 2U, 47U, 187U, 188U, 189U, 1000U, 100'000U}) {
        TsJoiner joiner;
        Bytes out;
        for (std::size_t at = 0; at < part.size(); at += cut) {
            append(
                out, joiner.join(ByteView{part}.subspan(at, std::min(cut, part.size() - at)), false)
            );
            REQUIRE(at + cut < out.size() + cut + TsJoiner::packet_size);
        }
        append(out, joiner.finish());
        CHECK(out == part);
    }
}

TEST_CASE("TS joiner goes on counting and keeps the clock running after a gap") {
    auto const first = make_part(900'000, 25);
    auto const after_gap = make_part(900'000 + 125 * frame, 25, 11);
    auto raw = first;
    append(raw, after_gap);
    CHECK(read_ts(raw).counter_errors > 0);

    auto const joined = join_parts({first, after_gap});
    CHECK(joined.size() == raw.size());
    check_continuous(joined);
    CHECK(std::equal(first.begin(), first.end(), joined.begin()));
}

TEST_CASE("TS joiner keeps the clock running when it jumps back at a restart") {
    check_continuous(
        join_parts({make_part(50'000'000, 10), make_part(900'000, 10), make_part(1'000'000, 10)})
    );
}

TEST_CASE("TS joiner calculates modulo 2^33") {
    auto const wraps = ts_clock_mask - 5 * frame;
    check_continuous(join_parts({make_part(wraps, 10), make_part(900'000, 10)}));
    check_continuous(join_parts({make_part(900'000, 10), make_part(wraps, 10)}));
    check_continuous(join_parts({make_part(wraps - 100 * frame, 10), make_part(wraps, 10)}));
}

TEST_CASE("TS joiner keeps what lies between the timestamps of a part as it is") {
    auto const second = make_part(123'456'789, 8);
    auto const joined = join_parts({make_part(900'000, 8), second});
    auto const before = read_ts(second);
    auto const after = read_ts(ByteView{joined}.last(second.size()));
    REQUIRE(before.pts.size() == after.pts.size());
    auto const offset = (after.pts[0] - before.pts[0]) & ts_clock_mask;
    for (std::size_t at = 0; at < before.pts.size(); ++at) {
        CHECK(after.pts[at] == ((before.pts[at] + offset) & ts_clock_mask));
    }
    CHECK(after.pcrs[0] == ((before.pcrs[0] + offset) & ts_clock_mask));
}

TEST_CASE("TS joiner marks the first adaptation field of each PID after a discontinuity") {
    auto const first = make_part(900'000, 5);
    CHECK(read_ts(first).marks.empty());
    auto const report =
        read_ts(join_parts({first, make_part(90'000'000, 5), make_part(180'000'000, 5)}));
    CHECK(report.marks == std::map<std::uint16_t, std::size_t>{{video, 2}});
}

TEST_CASE("TS joiner leaves repeated packets repeated") {
    auto part = make_part(900'000, 3);
    auto const last = Bytes(part.end() - 188, part.end());
    append(part, last);
    auto const joined = join_parts({make_part(0, 3, 5), part});
    CHECK(joined[joined.size() - 188 + 3] == joined[joined.size() - 376 + 3]);
}

TEST_CASE("TS joiner drops a packet cut short by a gap") {
    auto const first = make_part(900'000, 5);
    auto cut = first;
    cut.resize(cut.size() - 100);
    auto const second = make_part(90'000'000, 5);
    auto const joined = join_parts({cut, second});
    CHECK(joined.size() == first.size() - 188 + second.size());
    check_continuous(joined);
}

TEST_CASE("TS joiner finds its way back after bytes that are no packet") {
    auto const part = make_part(90'000'000, 10);
    Bytes damaged(part.begin(), part.begin() + 188 * 4);
    append(damaged, Bytes(61, 0x55));
    damaged.insert(damaged.end(), part.begin() + 188 * 4, part.end());
    CHECK(join_parts({damaged}) == damaged);

    auto joined = join_parts({make_part(900'000, 10), damaged});
    auto const junk = std::search_n(joined.begin(), joined.end(), 61, 0x55);
    REQUIRE(junk != joined.end());
    joined.erase(junk, junk + 61);
    check_continuous(joined);
}

TEST_CASE("TS joiner lets packets with impossible adaptation fields pass as they are") {
    for (auto const length : {184U, 200U, 255U}) {
        Bytes packet(188, 0xff);
        packet[0] = 0x47;
        packet[1] = 0x41;
        packet[3] = 0x30;
        packet[4] = byte(length);
        TsJoiner joiner;
        joiner.join(make_part(0, 2), false);
        CHECK(joiner.join(packet, true) == packet);
    }
}

TEST_CASE("TS joiner touches no payload, whatever stands where fields would be") {
    std::mt19937 random{1};
    TsJoiner joiner;
    joiner.join(make_part(900'000, 1), false);
    for (auto round = 0; round < 3000; ++round) {
        auto packet = random_bytes(random, 188);
        packet[0] = 0x47;
        if (round % 2 == 0) packet[4] = byte(random() % 190);
        auto const start = packet[4] + 5U;
        if (round % 4 == 0 && start + 4 < 188) {
            packet[3] = 0x30;
            packet[start] = packet[start + 1] = 0;
            packet[start + 2] = 1;
        }
        auto const out = joiner.join(packet, true);
        REQUIRE(out.size() == packet.size());
        std::uint32_t changed = 0;
        for (std::size_t at = 0; at < out.size(); ++at)
            changed += out[at] != packet[at] ? 1U : 0U;
        REQUIRE(changed <= 1 + 1 + 2 * 5 + 2 * 5); // counter, mark, two PCRs, PTS and DTS
    }
}

TEST_CASE("TS joiner takes garbage of any length and keeps less than a packet") {
    std::mt19937 random{2};
    TsJoiner transparent;
    TsJoiner joiner;
    Bytes in;
    Bytes out;
    for (auto round = 0; round < 3000; ++round) {
        auto bytes = random_bytes(random, random() % 700);
        for (auto& value : bytes)
            value = random() % 8 == 0 ? std::uint8_t{0x47} : value;
        joiner.join(bytes, round % 5 == 0);
        append(in, bytes);
        append(out, transparent.join(bytes, false));
        REQUIRE(in.size() - out.size() < TsJoiner::packet_size);
    }
    append(out, transparent.finish());
    CHECK(in == out);
    CHECK(joiner.finish().size() < TsJoiner::packet_size);
    CHECK(joiner.finish().empty());
}
