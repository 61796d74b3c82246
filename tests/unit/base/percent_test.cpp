#include "base/percent.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("Only unreserved characters stay as they are") {
    CHECK(percent_encode("aZ09-._~") == "aZ09-._~");
    CHECK(percent_encode("a b&c=d+e%/:ü") == "a%20b%26c%3Dd%2Be%25%2F%3A%C3%BC");
    CHECK(percent_encode("http://a/b?c", ":/") == "http://a/b%3Fc");
}

TEST_CASE("Every byte survives percent encoding") {
    std::string all;
    for (int byte = 0; byte < 256; ++byte)
        all += static_cast<char>(byte);
    CHECK(percent_decode(percent_encode(all)) == all);
}

TEST_CASE("A percent sign needs two hex digits") {
    CHECK(percent_decode("%41%7e+") == "A~+");
    for (auto const* const text : {"%", "%4", "%4g", "a%", "%%41", "% 1"}) {
        CAPTURE(text);
        CHECK_FALSE(percent_decode(text).has_value());
    }
}
