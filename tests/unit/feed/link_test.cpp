#include "base/limits.hpp"
#include "feed/link.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

namespace {

std::string const hex_key(64, 'a');
std::string const salt = "s=6d696e757465737761726d";
std::string const base = "magnet:?xs=urn:btpk:" + hex_key + "&" + salt;

bool parses(std::string const& text) {
    return parse_link(text).has_value();
}

std::string refusal(std::string const& text) {
    auto const link = parse_link(text);
    return link ? "" : link.error().message;
}

bool is_address(std::string_view text) {
    return parse_host_port(text).has_value();
}

} // namespace

TEST_CASE("A link's parameters come in any order, with unknown ones between") {
    auto const link = parse_link(
        "  MAGNET:?x.pe=host.example:1&zz=1&" + salt +
        "&xl=5&&xs=URN:BTPK:" + std::string(64, 'A') + "&tr.1=http://a/b&xt=urn:btih:00&dn=x%20y\n"
    );
    REQUIRE(link);
    CHECK(link->channel.hex() == hex_key);
    CHECK(link->title == "x y");
    CHECK(link->peers == std::vector<std::string>{"host.example:1"});
    CHECK(link->trackers == std::vector<std::string>{"http://a/b"});
}

TEST_CASE("A refused link says why in words") {
    CHECK_THAT(refusal("http://example.org/"), Catch::Contains("magnet"));
    CHECK_THAT(refusal(""), Catch::Contains("magnet"));
    CHECK_THAT(
        refusal("magnet:?xt=urn:btih:" + std::string(40, 'a')), Catch::Contains("ordinary torrent")
    );
    CHECK_THAT(refusal("magnet:?xt=urn:btmh:1220aa"), Catch::Contains("ordinary torrent"));
    CHECK_THAT(refusal("magnet:?dn=x"), Catch::Contains("no channel"));
    CHECK_THAT(refusal("magnet:?" + salt + "&xs=urn:btpk:abc"), Catch::Contains("64 hex digits"));
    CHECK_THAT(
        refusal("magnet:?" + salt + "&xs=urn:btpk:" + std::string(64, 'g')),
        Catch::Contains("64 hex digits")
    );
    CHECK_THAT(refusal("magnet:?xs=urn:btpk:" + hex_key), Catch::Contains("salt"));
    CHECK_THAT(refusal("magnet:?xs=urn:btpk:" + hex_key + "&s=6e"), Catch::Contains("salt"));
    CHECK_THAT(
        refusal("magnet:?xs=urn:btpk:" + hex_key + "&s=6d696e757465737761726"),
        Catch::Contains("salt")
    );
    CHECK_THAT(
        refusal(base + "&xs=urn:btpk:" + std::string(64, 'b')), Catch::Contains("two channels")
    );
    CHECK_THAT(refusal(base + "&x.pe=host"), Catch::Contains("unusable address"));
    CHECK_THAT(refusal(base + "&tr=nonsense"), Catch::Contains("unusable address"));
    CHECK_THAT(refusal(base + "&ws=ftp://x/"), Catch::Contains("unusable address"));
    CHECK_THAT(refusal(base + "&dn=%1b[2J"), Catch::Contains("title"));
    CHECK_THAT(refusal(base + "&dn=%zz"), Catch::Contains("%"));
    CHECK_THAT(
        refusal(base + "&zz=" + std::string(limits::link_size, 'x')), Catch::Contains("4 KiB")
    );
}

TEST_CASE("A refusal never repeats control characters") {
    auto const message = refusal(base + "&x.pe=a%1b%0ab");
    CHECK(message.find('\x1b') == std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("Of many endpoints the first twenty count") {
    auto text = base;
    for (int i = 1; i <= 30; ++i)
        text += "&x.pe=h:" + std::to_string(i);
    auto const link = parse_link(text);
    REQUIRE(link);
    CHECK(link->peers.size() == limits::link_endpoints);
    CHECK(link->peers.back() == "h:20");
}

TEST_CASE("What is formatted always parses, however much it should carry") {
    Link link;
    link.title = std::string(500, 'x') + "\n";
    for (int i = 0; i < 50; ++i) {
        link.trackers.push_back(
            "http://" + std::string(200, 'a') + ".example/" + std::to_string(i)
        );
    }
    auto const text = format_link(link);
    CHECK(text.size() <= limits::link_size);
    auto const parsed = parse_link(text);
    REQUIRE(parsed);
    CHECK(parsed->title == std::string(limits::title_size, 'x'));
    CHECK(parsed->trackers.size() > 10);
}

TEST_CASE("A title with reserved characters survives a link") {
    Link link;
    link.title = "50% & more + #1 = “good”?";
    CHECK(parse_link(format_link(link))->title == link.title);
    CHECK(format_link(link).find(' ') == std::string::npos);
}

TEST_CASE("A bare link names a channel alone") {
    auto const link = parse_link(base);
    REQUIRE(link);
    CHECK(link->peers.empty());
    CHECK(format_link(*link) == base);
    CHECK_FALSE(parses(base.substr(1)));
}

TEST_CASE("Addresses split into host and port") {
    CHECK(*parse_host_port("192.0.2.1:80") == HostPort{"192.0.2.1", 80});
    CHECK(*parse_host_port("[2001:db8::1]:6881") == HostPort{"2001:db8::1", 6881});
    CHECK(*parse_host_port("a-b_c.example:65535") == HostPort{"a-b_c.example", 65535});
    CHECK(*parse_host_port("localhost:0", true) == HostPort{"localhost", 0});
}

TEST_CASE("Malformed addresses are refused") {
    using namespace std::string_view_literals;
    for (auto const text :
         {""sv,
          ":"sv,
          "host"sv,
          "host:"sv,
          ":80"sv,
          "host:0"sv,
          "host:65536"sv,
          "host:-1"sv,
          "host:+1"sv,
          "host: 1"sv,
          "host:1x"sv,
          "a b:1"sv,
          "a..b:1"sv,
          "a.:1"sv,
          ".a:1"sv,
          "1.2.3:1"sv,
          "1.2.3.256:1"sv,
          "1.2.3.4.5:1"sv,
          "[::1]"sv,
          "[::1:80"sv,
          "::1:80"sv,
          "[]:80"sv,
          "[:80"sv,
          "[1.2.3.4]:80"sv,
          "[fe80::1%eth0]:1"sv,
          "1.2.3.4\0.5:1"sv,
          "h\0:1"sv,
          "http://h:1"sv}) {
        CAPTURE(text);
        CHECK_FALSE(is_address(text));
    }
    CHECK_FALSE(is_address(std::string(254, 'a') + ":1"));
    CHECK_FALSE(is_address(std::string(64, 'a') + ".example:1"));
}
