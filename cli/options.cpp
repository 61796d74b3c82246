#include "options.hpp"

#include "base/text.hpp"
#include "base/time.hpp"
#include "feed/link.hpp"
#include "values.hpp"

#include <algorithm>
#include <variant>

namespace minuteswarm {
namespace {

constexpr std::uint64_t lowest_rate = 16'000; ///< bits per second: nothing comes through below it

/// An option whose value `parse` makes of the text, or says in one line why not.
template <class Value, class Parse>
CLI::Option* add_parsed(
    CLI::App& app, std::string const& names, Value& value, std::string const& text, Parse parse
) {
    auto* const option = app.add_option_function<std::string>(
        names,
        [&value, parse, names](std::string const& given) {
            Expected<Value> const parsed = parse(given);
            if (!parsed) throw CLI::ValidationError(names, parsed.error().message);
            value = *parsed;
        },
        text
    );
    return option->take_last();
}

Error not_a(std::string_view given, std::string_view kind) {
    return Error{concat("'", given, "' is not a ", kind)};
}

/// Checks a value with something that says what is wrong with it.
template <class Parse>
CLI::Validator checked_by(Parse parse) {
    return {
        [parse](std::string const& text) {
            auto const parsed = parse(text);
            return parsed ? std::string{} : parsed.error().message;
        },
        ""};
}

CLI::Validator dht_entry() {
    return checked_by([](std::string const& text) -> Expected<std::monostate> {
        if (text == "none") return std::monostate{};
        auto const parsed = parse_host_port(text);
        if (!parsed) return parsed.error();
        return std::monostate{};
    });
}

} // namespace

void require_one(std::string const& choices, std::initializer_list<std::string_view> values) {
    auto const given =
        std::ranges::count_if(values, [](std::string_view value) { return !value.empty(); });
    if (given == 0) throw CLI::RequiredError{choices};
    if (given > 1) throw CLI::ValidationError{"only one of them can be given", choices};
}

CLI::Validator host_port(bool any_port) {
    return checked_by([any_port](std::string const& text) {
        return parse_host_port(text, any_port);
    });
}

CLI::Validator tracker_url() {
    return checked_by([](std::string const& text) -> Expected<std::monostate> {
        if (is_url(text)) return std::monostate{};
        return not_a(text, "URL such as udp://tracker.example.org:1337/announce");
    });
}

/// BEP 19.
CLI::Validator web_seed_url() {
    return checked_by([](std::string const& text) -> Expected<std::monostate> {
        if (is_web_url(text)) return std::monostate{};
        return not_a(text, "URL such as https://example.org/chunks/");
    });
}

CLI::Option*
add_rate(CLI::App& app, std::string const& names, std::uint64_t& value, std::string const& text) {
    auto const parse = [](std::string const& given) -> Expected<std::uint64_t> {
        auto const rate = parse_rate(given);
        if (!rate) return not_a(given, "rate such as 500k or 2M (bits per second)");
        if (*rate >= lowest_rate) return *rate;
        if (*rate == 0)
            return Error{concat("'", given, "' is less than 16k; leave it out for no limit")};
        auto const is_unit_missing = given.find_first_not_of("0123456789.") == std::string::npos;
        return Error{concat(
            "'",
            given,
            "' is less than 16k",
            is_unit_missing ? concat("; did you mean ", given, "M?") : ""
        )};
    };
    return add_parsed(app, names, value, text, parse)->type_name("RATE");
}

CLI::Option*
add_size(CLI::App& app, std::string const& names, std::uint64_t& value, std::string const& text) {
    auto const parse = [](std::string const& given) -> Expected<std::uint64_t> {
        if (auto const size = parse_size(given)) return *size;
        return not_a(given, "size such as 500M or 2G");
    };
    return add_parsed(app, names, value, text, parse)->type_name("SIZE");
}

CLI::Option* add_duration(
    CLI::App& app,
    std::string const& names,
    std::chrono::microseconds& value,
    std::string const& text,
    DurationRange range
) {
    auto const parse = [range](std::string const& given) -> Expected<std::chrono::microseconds> {
        auto const duration = parse_duration(given);
        if (!duration) return not_a(given, "duration such as 3 or 500ms");
        if (*duration >= range.least && *duration <= range.most) return *duration;
        return Error{concat(
            "'",
            given,
            "' is not between ",
            in_seconds(range.least),
            " and ",
            in_seconds(range.most),
            " seconds"
        )};
    };
    return add_parsed(app, names, value, text, parse)->type_name("SECONDS");
}

void NetworkArguments::add_to(CLI::App& app) {
    auto const shown = [](CLI::Option* option, std::string const& type) {
        return option->type_name(type)->group("Network");
    };
    shown(
        app.add_option(
            "--listen",
            listen,
            "where peers connect, and where from, if it names an address [0.0.0.0:6881, or the "
            "next free port]"
        ),
        "HOST:PORT"
    )
        ->take_last()
        ->check(host_port(true));
    shown(app.add_option("--peer", peers, "a peer to begin with; may be repeated"), "HOST:PORT")
        ->check(host_port(false));
    shown(app.add_option("--tracker", trackers, "a BitTorrent tracker; may be repeated"), "URL")
        ->check(tracker_url());
    add_rate(app, "--uplink", uplink, "most that may be sent, over all connections [unlimited]")
        ->group("Network");
    app.add_flag("--no-edge", no_edge, "only whole chunks: no part in the live edge")
        ->group("Network");
    app.add_option(
           "--chunk-tracker", chunk_tracker, "finds the peers of chunks, instead of neighbours"
    )
        ->type_name("URL")
        ->group("") // for comparisons
        ->check(tracker_url());
    app.add_flag("--no-dht", no_dht, "do not use the DHT")->group("Network");
    app.add_flag("--no-lsd", no_lsd, "do not look for peers in the local network")
        ->group("Network");
    app.add_flag("--no-port-mapping", no_port_mapping, "do not ask the router to forward a port")
        ->group("Network");
    shown(
        app.add_option(
            "--dht-bootstrap",
            dht_bootstrap,
            "enter a DHT of your own here, or none to begin one; may be repeated"
        ),
        "HOST:PORT"
    )
        ->check(dht_entry());
    shown(
        app.add_option(
            "--proxy", proxy, "a SOCKS proxy for all of it: socks5://[user:password@]host:port"
        ),
        "URL"
    )
        ->take_last()
        ->check(checked_by(parse_proxy));
}

void NetworkArguments::add_web_seeds_to(CLI::App& app) {
    app.add_option(
           "--web-seed", web_seeds, "URL of a web server that has the chunks; may be repeated"
    )
        ->type_name("URL")
        ->group("Network")
        ->check(web_seed_url());
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
    options.edge = !no_edge;
    options.chunk_tracker = chunk_tracker;
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
