#include "base/plain_text.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::string_view_literals;

TEST_CASE("Text in any script is plain") {
    for (auto const text : {""sv, "abc"sv, "Küche"sv, "日本語"sv, "שלום"sv, "🎙️ live"sv}) {
        CAPTURE(text);
        CHECK(is_plain_text(text));
        CHECK(to_plain_text(text, 100) == text);
    }
}

TEST_CASE("Control characters, overrides and broken UTF-8 are not plain") {
    for (auto const text :
         {"a\nb"sv,
          "a\x1b[2Jb"sv,
          "a\0b"sv,
          "a\x7f"
          "b"sv,
          "a\u0085b"sv,
          "a\u202eb"sv,
          "a\u2066b"sv,
          "a\u2028b"sv,
          "a\xff"
          "b"sv,
          "a\xc0\xaf"
          "b"sv,
          "a\xe0\x80\x80"
          "b"sv,
          "a\xed\xa0\x80"
          "b"sv,
          "a\xf4\x90\x80\x80"
          "b"sv,
          "ab\xc3"sv,
          "ab\xe2\x82"sv,
          "a\x80"
          "b"sv}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain_text(text));
        auto const cleaned = to_plain_text(text, 100);
        CHECK(is_plain_text(cleaned));
        CHECK(cleaned.find('a') != std::string::npos);
        CHECK(cleaned.find('b') != std::string::npos);
    }
}

TEST_CASE("Text is cut between characters") {
    CHECK(to_plain_text("aüb", 2) == "a");
    CHECK(to_plain_text("aüb", 3) == "aü");
    CHECK(to_plain_text("abc", 0).empty());
}
