#include "base/limits.hpp"
#include "feed/dht_item.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace minuteswarm;

namespace {

std::string vector_text() {
    return std::string{as_text(encode(vectors::dht_item()))};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

bool decodes(std::string const& text) {
    return decode_dht_item(as_bytes(text)).has_value();
}

} // namespace

TEST_CASE("The largest DHT item fits BEP 44's thousand bytes") {
    auto item = vectors::dht_item();
    item.event = {1ULL << 62};
    item.number = {1ULL << 62};
    item.window.assign(40, item.newest);
    auto const value = encode(item);
    CHECK(value.size() <= limits::dht_value);
    auto const decoded = decode_dht_item(value);
    REQUIRE(decoded);
    CHECK(decoded->window.size() == limits::dht_chunks);
}

TEST_CASE("An item of a live event has no end key") {
    auto item = vectors::dht_item();
    item.is_end = false;
    auto const value = encode(item);
    CHECK(as_text(value).find("3:end") == std::string_view::npos);
    CHECK_FALSE(decode_dht_item(value)->is_end);
}

TEST_CASE("A later version's item says what is needed") {
    auto const item = decode_dht_item(as_bytes(replaced(vector_text(), "1:vi1e", "1:vi2e")));
    REQUIRE_FALSE(item);
    CHECK_THAT(item.error().message, Catch::Contains("newer version"));
}

TEST_CASE("Malformed DHT items are refused") {
    auto const text = vector_text();
    REQUIRE(decodes(text));
    CHECK(decodes(replaced(text, "1:ni42e", "1:ni42e1:oi1e")));
    CHECK_FALSE(decodes(""));
    CHECK_FALSE(decodes("de"));
    CHECK_FALSE(decodes(replaced(text, "1:vi1e", "1:vi0e")));
    CHECK_FALSE(decodes(replaced(text, "1:vi1e", "")));
    CHECK_FALSE(decodes(replaced(text, "1:ni42e", "1:ni0e")));
    CHECK_FALSE(decodes(replaced(text, "1:ni42e", "1:ni042e")));
    CHECK_FALSE(decodes(replaced(text, "3:endi1e", "3:endi2e")));
    CHECK_FALSE(decodes(replaced(text, "1:w40:", "1:w39:")));
    CHECK_FALSE(decodes(std::string(1001, 'd')));
}

TEST_CASE("A sequence number exceeds all known ones and is not behind the clock") {
    auto const now = vectors::wall_time(1'000'999'999);
    CHECK(next_sequence(now, -1, -1) == 1000);
    CHECK(next_sequence(now, 1000, -1) == 1001);
    CHECK(next_sequence(now, 5, 2000) == 2001);
    CHECK(next_sequence(now, 2000, 5) == 2001);
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    CHECK(next_sequence(now, largest, 0) == largest);
}
