#include "base/expected.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

using namespace minuteswarm;

namespace {

Expected<std::string> answer(bool is_good) {
    if (!is_good) return Error{"no"};
    return std::string{"yes"};
}

} // namespace

TEST_CASE("An Expected holds a value or the reason why not") {
    auto const good = answer(true);
    REQUIRE(good);
    CHECK(*good == "yes");
    CHECK(good->size() == 3);
    auto const bad = answer(false);
    CHECK_FALSE(bad);
    CHECK_FALSE(bad.has_value());
    CHECK(bad.error().message == "no");
}

TEST_CASE("A value can be moved out of an Expected") {
    Expected<std::unique_ptr<int>> held{std::make_unique<int>(5)};
    auto const taken = *std::move(held);
    CHECK(*taken == 5);
}

TEST_CASE("A zero is a value, and can be changed in place") {
    Expected<int> zero{0};
    REQUIRE(zero);
    *zero = 7;
    CHECK(*zero == 7);
}
