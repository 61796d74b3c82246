#include "http/http_range.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

RangeAnswer const whole = WholeBody{};
RangeAnswer const unsatisfiable = UnsatisfiableRange{};

RangeAnswer span(std::uint64_t offset, std::uint64_t length) {
    return ByteSpan{offset, length};
}

} // namespace

TEST_CASE("Range gives the asked bytes, cut at the body's end") {
    CHECK(answer_range("bytes=0-0", 1000) == span(0, 1));
    CHECK(answer_range("bytes=0-499", 1000) == span(0, 500));
    CHECK(answer_range("bytes=500-", 1000) == span(500, 500));
    CHECK(answer_range("bytes=999-", 1000) == span(999, 1));
    CHECK(answer_range("bytes=900-5000", 1000) == span(900, 100));
    CHECK(answer_range("bytes=5-18446744073709551615", 1000) == span(5, 995));
    CHECK(answer_range("bytes= 1-2 ", 1000) == span(1, 2));
}

TEST_CASE("Range counts a suffix from the body's end") {
    CHECK(answer_range("bytes=-1", 1000) == span(999, 1));
    CHECK(answer_range("bytes=-5000", 1000) == span(0, 1000));
    CHECK(answer_range("bytes=-0", 1000) == unsatisfiable);
}

TEST_CASE("Range is unsatisfiable when it starts behind the body's end") {
    CHECK(answer_range("bytes=1000-", 1000) == unsatisfiable);
    CHECK(answer_range("bytes=1000-2000", 1000) == unsatisfiable);
    CHECK(answer_range("bytes=0-", 0) == unsatisfiable);
    CHECK(answer_range("bytes=-1", 0) == unsatisfiable);
}

TEST_CASE("Range fields that are malformed or ask for several ranges are ignored") {
    for (auto const* field :
         {"",
          "bytes",
          "bytes=",
          "bytes=-",
          "bytes=5",
          "bytes=5-4",
          "bytes=a-b",
          "bytes=1-b",
          "bytes=+1-2",
          "bytes=0-1,5-6",
          "bytes=--1",
          "items=0-1",
          "bytes=18446744073709551616-",
          "bytes=0x1-2"}) {
        CAPTURE(field);
        CHECK(answer_range(field, 1000) == whole);
    }
}
