#include "options.hpp"

#include "feed/link.hpp"
#include "values.hpp"

namespace minuteswarm {
namespace {

template <class Value, class Parse>
CLI::Option* add_parsed(
    CLI::App& app,
    std::string const& names,
    Value& value,
    std::string const& text,
    Parse parse,
    char const* kind
) {
    auto* const option = app.add_option_function<std::string>(
        names,
        [&value, parse, names, kind](std::string const& given) {
            auto const parsed = parse(given);
            if (!parsed) throw CLI::ValidationError(names, "'" + given + "' is not a " + kind);
            value = *parsed;
        },
        text
    );
    return option->take_last();
}

/// Refuses what is no HOST:PORT, while the command line is read.
CLI::Validator host_port(bool any_port) {
    return {
        [any_port](std::string& text) {
            auto const parsed = parse_host_port(text, any_port);
            return parsed ? std::string{} : parsed.error().message;
        },
        "HOST:PORT"};
}

} // namespace

CLI::Option*
add_rate(CLI::App& app, std::string const& names, std::uint64_t& value, std::string const& text) {
    return add_parsed(
               app, names, value, text, parse_rate, "rate such as 500k or 2M (bits per second)"
    )
        ->type_name("RATE");
}

CLI::Option*
add_size(CLI::App& app, std::string const& names, std::uint64_t& value, std::string const& text) {
    return add_parsed(app, names, value, text, parse_size, "size such as 500M or 2G")
        ->type_name("SIZE");
}

CLI::Option* add_duration(
    CLI::App& app,
    std::string const& names,
    std::chrono::microseconds& value,
    std::string const& text
) {
    return add_parsed(app, names, value, text, parse_duration, "duration such as 3 or 500ms")
        ->type_name("SECONDS");
}

void NetworkArguments::add_to(CLI::App& app) {
    app.add_option("--listen", listen, "where peers connect [0.0.0.0:6881, or the next free port]")
        ->type_name("HOST:PORT")
        ->take_last()
        ->check(host_port(true));
    app.add_option("--peer", peers, "a peer to connect to; may be repeated")
        ->type_name("HOST:PORT")
        ->check(host_port(false));
    app.add_option("--tracker", trackers, "a BitTorrent tracker; may be repeated")
        ->type_name("URL");
    add_rate(app, "--uplink", uplink, "most that may be sent, over all connections [unlimited]");
    app.add_flag("--no-dht", no_dht, "do not use the DHT");
    app.add_flag("--no-lsd", no_lsd, "do not look for peers in the local network");
    app.add_flag("--no-port-mapping", no_port_mapping, "do not ask the router to forward a port");
    app.add_option(
           "--dht-bootstrap", dht_bootstrap, "enter a DHT of your own here; may be repeated"
    )
        ->type_name("HOST:PORT");
    app.add_option("--proxy", proxy, "socks5://[user:password@]host:port")->type_name("URL");
}

NetworkOptions NetworkArguments::options() const {
    NetworkOptions options;
    options.is_listen_explicit = !listen.empty();
    if (!listen.empty()) options.listen = listen;
    options.dht = !no_dht;
    options.lsd = !no_lsd;
    options.port_mapping = !no_port_mapping;
    options.dht_bootstrap = dht_bootstrap;
    options.proxy = proxy;
    options.uplink = uplink;
    return options;
}

void HttpArguments::add_to(CLI::App& app, std::string const& text) {
    app.add_option("--http", address, text)
        ->type_name("HOST:PORT")
        ->take_last()
        ->check(host_port(true));
}

HttpServer::Options HttpArguments::options() const {
    HttpServer::Options options;
    if (address.empty()) return options;
    auto const parsed = parse_host_port(address, true);
    options.address = parsed->host;
    options.port = parsed->port;
    options.is_default_port = false;
    return options;
}

} // namespace minuteswarm
