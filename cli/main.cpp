#include "base/error.hpp"
#include "base/text.hpp"
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

constexpr auto footer = R"(Examples:
  minuteswarm publish video.mp4 --channel mine --title "My broadcast"
  minuteswarm publish rtmp://0.0.0.0:1935/live/key --channel mine
  ffmpeg ... -f mpegts - | minuteswarm publish - --channel mine
  minuteswarm watch 'magnet:?xs=urn:btpk:...' --player mpv

'minuteswarm COMMAND --help' lists a command's options; the manual says more.
Exit codes: 0 done, 1 could not start or lost for good, 2 wrong usage, 130 interrupted.)";

void style_help(CLI::App& app) {
    app.set_help_flag("-h,--help", "show this help");
    app.set_version_flag("--version", "minuteswarm " MINUTESWARM_VERSION, "show the version");
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->label("REQUIRED", "");
    app.get_formatter()->column_width(32);
}

/// What was typed by mistake says more than what is missing because of it.
std::string problem_of(CLI::App const& app, CLI::ParseError const& error) {
    auto const unknown = app.remaining(true);
    if (unknown.empty()) return error.what();
    if (unknown.front().starts_with('-')) return concat("there is no option ", unknown.front());
    return concat(
        app.get_subcommands().empty() ? "there is no command " : "too much: ", unknown.front()
    );
}

int refuse(CLI::App const& app, CLI::ParseError const& error) {
    auto const chosen = app.get_subcommands();
    auto const help = chosen.empty() ? std::string{} : chosen.front()->get_name() + " ";
    auto const problem = problem_of(app, error);
    std::fprintf(
        stderr, "minuteswarm: %s (see minuteswarm %s--help)\n", problem.c_str(), help.c_str()
    );
    return exit_usage;
}

int parse_and_run(int count, char** words) {
    CLI::App app{"Live broadcasts over BitTorrent: publish, watch, and seed what was broadcast."};
    app.name("minuteswarm");
    style_help(app);
    app.require_subcommand(0, 1); // a word that is none is named, rather than one asked for
    Run run;
    add_publish_command(app, run);
    add_watch_commands(app, run);
    add_seed_command(app, run);
    add_archive_commands(app, run);
    add_key_commands(app, run);
    for (auto* const command : app.get_subcommands({}))
        command->group("Commands");
    app.footer(footer); // last: a command would take it over
    try {
        app.parse(count, words);
        if (!run) throw CLI::RequiredError{"a command"};
    } catch (CLI::Success const& help_or_version) {
        return app.exit(help_or_version);
    } catch (CLI::ParseError const& error) {
        return refuse(app, error);
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
