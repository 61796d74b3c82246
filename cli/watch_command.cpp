#include "base/text.hpp"
#include "commands.hpp"
#include "folder_viewer.hpp"
#include "link_argument.hpp"
#include "options.hpp"
#include "player.hpp"
#include "reporter.hpp"
#include "role_run.hpp"
#include "viewer.hpp"

#include <cstdlib>
#include <memory>
#include <optional>

namespace minuteswarm {
namespace {

struct WatchArguments {
    std::string what, output, player, cache;
    std::chrono::microseconds latency = std::chrono::seconds{3};
    std::uint64_t cache_size = std::uint64_t{2} << 30;
    bool force = false, keep = false, open = false, json = false, is_relay = false;
    NetworkArguments network;
    HttpArguments http;
};

std::filesystem::path cache_folder(std::string const& given) {
    if (!given.empty()) return given;
    if (auto const* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) { // NOLINT: at start-up
        return std::filesystem::path{cache} / "minuteswarm";
    }
    auto const* home = std::getenv("HOME"); // NOLINT: at start-up
    return home ? std::filesystem::path{home} / ".cache" / "minuteswarm"
                : std::filesystem::temp_directory_path() / "minuteswarm";
}

/// What is there already is replaced only when asked; pipes and devices lose nothing.
void check_output(WatchArguments const& arguments) {
    auto const& file = arguments.output;
    std::error_code error;
    if (file == "-" || arguments.force || !std::filesystem::is_regular_file(file, error)) return;
    throw StartError{concat(file, " exists: give another name, or --force to replace it")};
}

Playback::Options playback_options(WatchArguments const& arguments) {
    Playback::Options playback;
    playback.timeline.latency = arguments.latency;
    if (!arguments.output.empty()) playback.output = arguments.output;
    // A relay, and a plain -o, need no server; one that was asked for stays.
    if (arguments.http.is_given() || (!arguments.is_relay && arguments.output.empty()) ||
        arguments.open || !arguments.player.empty()) {
        playback.http = arguments.http.options();
    }
    return playback;
}

/// What both kinds of watching report; also opens players.
struct WatchReports {
    WatchArguments const& arguments;
    Reporter& reporter;
    std::string_view waiting; ///< what it does while it starts
    std::optional<Player> player;

    void on_http(std::string const& url) {
        reporter.event("http", {{"url", url}}, "watch at " + url);
        if (arguments.open) player.emplace("xdg-open", url);
        if (!arguments.player.empty()) player.emplace(arguments.player, url + "stream");
    }
    void on_state(std::string const& state) {
        auto const is_starting = state == "starting";
        reporter.event(
            "state", {{"state", state}}, is_starting ? concat("starting: ", waiting) : state
        );
        if (state == "ended") reporter.event("end", {}, {});
    }
};

int watch_folder(WatchArguments const& arguments) {
    Reporter reporter{arguments.json};
    EventLoop loop;
    RoleRun run{loop, reporter};
    RoleRun::keep_blocks_apart();
    WatchReports reports{arguments, reporter, "checking the archive", {}};
    FolderViewer::Events events;
    events.on_http = [&](std::string const& url) { reports.on_http(url); };
    events.on_state = [&](std::string const& state) { reports.on_state(state); };
    events.on_warning = [&](std::string const& line) { reporter.warning(line); };
    events.on_stopped = [&](std::optional<Error> const& error) { run.on_stopped(error); };
    FolderViewer viewer{loop, arguments.what, playback_options(arguments), std::move(events)};
    run.stop = [&] { viewer.stop(); };
    run.status = [&] { return viewer.status(); };
    run.start = [&] { viewer.start(); };
    return run.run();
}

int watch(WatchArguments const& arguments) {
    check_output(arguments);
    if (std::filesystem::is_directory(arguments.what)) {
        if (!arguments.is_relay) return watch_folder(arguments);
        throw StartError{concat(
            arguments.what, " is a folder: relay takes a link; minuteswarm seed serves folders"
        )};
    }
    Reporter reporter{arguments.json};
    Viewer::Options options;
    options.link = read_link_argument(arguments.what);
    options.network = arguments.network.options();
    options.peers = arguments.network.peers;
    options.link.trackers.insert(
        options.link.trackers.end(),
        arguments.network.trackers.begin(),
        arguments.network.trackers.end()
    );
    options.cache = cache_folder(arguments.cache);
    options.cache_size = arguments.cache_size;
    options.keep = arguments.keep;
    options.is_relay = arguments.is_relay;
    options.playback = playback_options(arguments);

    EventLoop loop;
    RoleRun run{loop, reporter};
    RoleRun::keep_blocks_apart();
    WatchReports reports{arguments, reporter, "waiting for the broadcast", {}};
    Viewer::Events events;
    events.on_listening = [&](std::string const& endpoint) {
        reporter.event("listening", {{"address", endpoint}}, {});
    };
    events.on_http = [&](std::string const& url) { reports.on_http(url); };
    events.on_state = [&](std::string const& state) { reports.on_state(state); };
    events.on_chunk = [&](ChunkNumber number) { reporter.chunk(number, {}); };
    events.on_notice = [&](std::string const& line) { reporter.notice(line); };
    events.on_warning = [&](std::string const& line) { reporter.warning(line); };
    events.on_stopped = [&](std::optional<Error> const& error) { run.on_stopped(error); };
    Viewer viewer{loop, std::move(options), std::move(events)};
    run.stop = [&] { viewer.stop(); };
    run.status = [&] { return viewer.status(); };
    run.start = [&] { viewer.start(); };
    return run.run();
}

void add_common(CLI::App& command, WatchArguments& arguments) {
    command
        .add_option(
            "--cache", arguments.cache, "folder for chunks while they are kept [user's cache]"
        )
        ->type_name("DIR")
        ->take_last();
    add_size(command, "--cache-size", arguments.cache_size, "most that it may take [2G]");
    command.add_flag("--keep", arguments.keep, "leave the chunks there at the end");
    command.add_flag("--json", arguments.json, "one JSON object per event on stdout");
    arguments.network.add_to(command);
}

} // namespace

void add_watch_commands(CLI::App& app, Run& run) {
    auto const watching = std::make_shared<WatchArguments>();
    auto& command = *app.add_subcommand("watch", "watch a broadcast, or an archive");
    command
        .add_option(
            "link", watching->what, "a link, a file with one, - for stdin, or an archive's folder"
        )
        ->type_name("")
        ->required();
    watching->http.add_to(
        command, "where players and browsers connect [127.0.0.1:8088, or the next free port]"
    );
    add_duration(
        command,
        "--latency",
        watching->latency,
        "how far behind live to play [3]",
        {std::chrono::milliseconds{100}, std::chrono::minutes{10}}
    );
    command
        .add_option("-o,--output", watching->output, "write the stream to a file, or - for stdout")
        ->type_name("FILE")
        ->take_last();
    command.add_flag("--force", watching->force, "replace a file that exists");
    command.add_option("--player", watching->player, "start this player on the stream, e.g. mpv")
        ->type_name("CMD")
        ->take_last()
        ->check(CLI::Validator{
            [](std::string const& text) {
                auto const is_empty = text.find_first_not_of(" \t\n") == std::string::npos;
                return is_empty ? "an empty command; give one such as mpv" : std::string{};
            },
            ""});
    command.add_flag("--open", watching->open, "open the page in a browser");
    add_common(command, *watching);
    command.callback([watching, &run] { run = [watching] { return watch(*watching); }; });

    auto const relaying = std::make_shared<WatchArguments>();
    relaying->is_relay = true;
    auto& relay = *app.add_subcommand("relay", "pass a broadcast on without watching it");
    relay.add_option("link", relaying->what, "a link, a file with one, or - for stdin")
        ->type_name("")
        ->required();
    relaying->http.add_to(relay, "serve status and metrics here");
    add_common(relay, *relaying);
    relay.callback([relaying, &run] { run = [relaying] { return watch(*relaying); }; });
}

} // namespace minuteswarm
