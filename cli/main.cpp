#include "base/error.hpp"
#include "commands.hpp"

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

using namespace minuteswarm;

/// Peers are sockets: the soft limit of many systems is too low for a popular channel.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit); // as far as it goes
}

int parse_and_run(int count, char** words) {
    CLI::App app{"Live broadcasts over BitTorrent: publish, watch, and seed what was broadcast."};
    app.name("minuteswarm");
    app.set_version_flag("--version", std::string{"minuteswarm " MINUTESWARM_VERSION});
    app.require_subcommand(1);
    Run run;
    add_publish_command(app, run);
    add_watch_commands(app, run);
    add_seed_command(app, run);
    add_archive_commands(app, run);
    add_key_commands(app, run);
    try {
        app.parse(count, words);
    } catch (CLI::Success const& help_or_version) {
        return app.exit(help_or_version);
    } catch (CLI::ParseError const& error) {
        std::fprintf(stderr, "minuteswarm: %s (see minuteswarm --help)\n", error.what());
        return exit_usage;
    }
    return run();
}

} // namespace

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an error to report, not an end
    raise_descriptor_limit();
    try {
        return parse_and_run(count, words);
    } catch (std::exception const& error) {
        std::fprintf(stderr, "minuteswarm: %s\n", error.what());
        return exit_failed;
    }
}
