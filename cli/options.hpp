#pragma once

#include "base/expected.hpp"
#include "http/http_server.hpp"
#include "swarm/session_settings.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace minuteswarm {

/// Option validators that store a parsed value and say what is wrong in one line.
CLI::Option*
add_rate(CLI::App& app, std::string const& names, std::uint64_t& value, std::string const& text);
CLI::Option*
add_size(CLI::App& app, std::string const& names, std::uint64_t& value, std::string const& text);
struct DurationRange {
    std::chrono::microseconds least{0};
    std::chrono::microseconds most = std::chrono::microseconds::max();
};
CLI::Option* add_duration(
    CLI::App& app,
    std::string const& names,
    std::chrono::microseconds& value,
    std::string const& text,
    DurationRange range = {}
);

/// Throws a usage error naming `choices` unless exactly one of the values was given.
void require_one(std::string const& choices, std::initializer_list<std::string_view> values);

/// Refuse what is no such value, while the command line is read.
CLI::Validator host_port(bool any_port);
CLI::Validator tracker_url();
CLI::Validator web_seed_url();

/// The network options that commands share.
struct NetworkArguments {
    std::string listen;
    std::vector<std::string> peers, trackers, web_seeds, dht_bootstrap;
    std::uint64_t uplink = 0;
    std::string proxy, chunk_tracker;
    bool no_edge = false, no_dht = false, no_lsd = false, no_port_mapping = false;

    void add_to(CLI::App& app);
    void add_web_seeds_to(CLI::App& app); ///< for those who make links
    [[nodiscard]] NetworkOptions options() const;
};

/// `--http HOST:PORT`; what was not given stays at the default, which may move to a free port.
struct HttpArguments {
    std::string address;

    void add_to(CLI::App& app, std::string const& text);
    [[nodiscard]] bool is_given() const { return !address.empty(); }
    [[nodiscard]] HttpServer::Options options() const;
};

} // namespace minuteswarm
