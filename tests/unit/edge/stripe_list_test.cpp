#include "base/limits.hpp"
#include "edge/stripe_list.hpp"
#include "unit/edge/vectors.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

// Rendition 0 and the run, before the count.
std::string const head = "000102030405060708";

bool is_refused(std::string const& hex) {
    return !decode_stripe_list(edge_vectors::bytes_of(hex)).has_value();
}

} // namespace

TEST_CASE("The longest list of stripes is read back, a longer one refused") {
    StripeList list{{0xffffffff}, edge_vectors::list().run, {}};
    for (std::uint64_t i = 0; i < limits::wanted_groups; ++i)
        list.groups.push_back({{(std::uint64_t{1} << 62) - 100 + i}, 0xffffffff});
    auto bytes = encode(list);
    auto const again = decode_stripe_list(bytes);
    REQUIRE(again);
    CHECK(*again == list);
    bytes[5 + RunId::size] += 1;
    append(bytes, Bytes{1, 1});
    CHECK_FALSE(decode_stripe_list(bytes));
}

TEST_CASE("Lists of stripes that are malformed are refused") {
    REQUIRE_FALSE(is_refused(
        head + "01"
               "0501"
    ));
    REQUIRE_FALSE(is_refused(
        head + "02"
               "0501"
               "0101"
    ));
    CHECK(is_refused(""));
    CHECK(is_refused(head));
    CHECK(is_refused(head + "00"));
    CHECK(is_refused(
        head + "01"
               "05"
    ));
    CHECK(is_refused(
        head + "01"
               "0501"
               "00"
    ));
    CHECK(is_refused(
        head + "02"
               "0501"
    ));
}

TEST_CASE("A list of stripes has one form only") {
    CHECK(is_refused(
        head + "01"
               "0500"
    ));
    CHECK(is_refused(
        head + "02"
               "0501"
               "0001"
    ));
    CHECK(is_refused(
        head + "01"
               "800501"
    ));
    CHECK(is_refused(
        head + "01"
               "05"
               "9080808000"
    ));
    CHECK(is_refused(
        head + "02"
               "bfffffffffffffffff7f"
               "01"
               "01"
               "01"
    ));
}
