#include "base/error.hpp"
#include "swarm/session_settings.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

using Pack = lt::settings_pack;

namespace {

NetworkOptions with_proxy(std::string url) {
    NetworkOptions options;
    options.proxy = std::move(url);
    return options;
}

} // namespace

TEST_CASE("A SOCKS5 proxy is taken apart, with its user and password") {
    auto const plain = make_settings(with_proxy("socks5://127.0.0.1:1080"), false);
    CHECK(plain.get_int(Pack::proxy_type) == Pack::socks5);
    CHECK(plain.get_str(Pack::proxy_hostname) == "127.0.0.1");
    CHECK(plain.get_int(Pack::proxy_port) == 1080);

    auto const named = make_settings(with_proxy("socks5://me:a:b@c@[::1]:1080"), false);
    CHECK(named.get_int(Pack::proxy_type) == Pack::socks5_pw);
    CHECK(named.get_str(Pack::proxy_username) == "me");
    CHECK(named.get_str(Pack::proxy_password) == "a:b@c");
    CHECK(named.get_str(Pack::proxy_hostname) == "::1");

    CHECK(make_settings({}, false).get_int(Pack::proxy_type) == Pack::none);
}

TEST_CASE("A malformed proxy or listen address ends the start") {
    auto const proxy = GENERATE(
        "http://127.0.0.1:1080", "127.0.0.1:1080", "socks5://", "socks5://host", "socks5://host:0"
    );
    CHECK_THROWS_AS(make_settings(with_proxy(proxy), false), StartError);
    NetworkOptions options;
    options.listen = "nowhere";
    CHECK_THROWS_AS(make_settings(options, false), StartError);
}

TEST_CASE("A run that asks for no discovery gets none") {
    NetworkOptions options;
    options.dht = options.lsd = options.port_mapping = false;
    auto const pack = make_settings(options, false);
    for (auto const setting :
         {Pack::enable_dht, Pack::enable_lsd, Pack::enable_upnp, Pack::enable_natpmp})
        CHECK_FALSE(pack.get_bool(setting));
}

TEST_CASE("A listen port that the user named is not exchanged for another") {
    NetworkOptions options;
    CHECK(make_settings(options, false).get_int(Pack::max_retry_port_bind) > 0);
    options.is_listen_explicit = true;
    CHECK(make_settings(options, false).get_int(Pack::max_retry_port_bind) == 0);
}

TEST_CASE("Who has all of a chunk dials nobody for it, but a seeder") {
    CHECK_FALSE(make_settings({}, false).get_bool(Pack::seeding_outgoing_connections));
    CHECK(make_settings({}, true).get_bool(Pack::seeding_outgoing_connections));
}
