#include "base/limits.hpp"
#include "edge/parity_code.hpp"
#include "unit/edge/edge_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace minuteswarm;

namespace {

using Payloads = std::vector<SharedBytes>;

Payloads random_payloads(std::size_t count, std::size_t size, std::mt19937_64& random) {
    Payloads payloads;
    for (std::size_t i = 0; i < count; ++i) {
        payloads.push_back(std::make_shared<Bytes const>(edge_builder::random_bytes(size, random)));
    }
    return payloads;
}

Payloads with_parity(ParityCode const& code, Payloads data) {
    for (auto& parity : code.encode(data))
        data.push_back(std::move(parity));
    return data;
}

Payloads without(Payloads payloads, std::size_t count, std::mt19937_64& random) {
    std::vector<std::size_t> order(payloads.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i = 0; i < count; ++i)
        payloads[order[i]].reset();
    return payloads;
}

bool is_equal(Payloads const& one, Payloads const& other) {
    return std::ranges::equal(one, other, [](auto const& a, auto const& b) {
        return a && b && *a == *b;
    });
}

// Around the widths of vector registers, where codes with vectors go wrong.
constexpr std::size_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1000};

} // namespace

TEST_CASE("Any K of K+M payloads give all the others") {
    std::mt19937_64 random{1};
    for (std::uint8_t stripes = 1; stripes <= 16; ++stripes) {
        for (std::uint8_t parity = 0; parity <= 4; ++parity) {
            ParityCode const code{stripes, parity};
            auto const size = sizes[random() % std::size(sizes)];
            auto const all = with_parity(code, random_payloads(stripes, size, random));
            REQUIRE(all.size() == code.all_stripes());
            for (std::size_t lost = 0; lost <= parity; ++lost) {
                auto const rebuilt = code.rebuild(without(all, lost, random));
                REQUIRE(rebuilt);
                CHECK(is_equal(*rebuilt, all));
            }
            CHECK_FALSE(code.rebuild(without(all, parity + 1U, random)));
        }
    }
}

TEST_CASE("Every single loss and every double loss of 8+2 is rebuilt, at every odd size") {
    std::mt19937_64 random{2};
    ParityCode const code{8, 2};
    for (auto const size : sizes) {
        auto const all = with_parity(code, random_payloads(8, size, random));
        for (std::size_t one = 0; one < 10; ++one) {
            for (std::size_t other = one; other < 10; ++other) {
                auto some = all;
                some[one].reset();
                some[other].reset();
                auto const rebuilt = code.rebuild(some);
                REQUIRE(rebuilt);
                CHECK(is_equal(*rebuilt, all));
            }
        }
    }
}

TEST_CASE("The largest code works") {
    std::mt19937_64 random{3};
    ParityCode const code{16, limits::edge_stripes - 16};
    auto const all = with_parity(code, random_payloads(16, 500, random));
    auto const rebuilt = code.rebuild(without(all, 16, random));
    REQUIRE(rebuilt);
    CHECK(is_equal(*rebuilt, all));
}

TEST_CASE("Parity is linear: that of two groups together is the two parities together") {
    std::mt19937_64 random{4};
    ParityCode const code{8, 2};
    auto const a = random_payloads(8, 333, random);
    auto const b = random_payloads(8, 333, random);
    auto const exclusive_or = [](Payloads const& one, Payloads const& other) {
        Payloads result;
        for (std::size_t i = 0; i < one.size(); ++i) {
            auto bytes = *one[i];
            for (std::size_t at = 0; at < bytes.size(); ++at)
                bytes[at] ^= (*other[i])[at];
            result.push_back(std::make_shared<Bytes const>(std::move(bytes)));
        }
        return result;
    };
    CHECK(is_equal(exclusive_or(code.encode(a), code.encode(b)), code.encode(exclusive_or(a, b))));
}
