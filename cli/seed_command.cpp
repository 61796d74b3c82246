#include "base/text.hpp"
#include "commands.hpp"
#include "options.hpp"
#include "reporter.hpp"
#include "role_run.hpp"
#include "seeder.hpp"

#include <memory>

namespace minuteswarm {
namespace {

struct SeedArguments {
    std::vector<std::string> folders;
    bool json = false;
    NetworkArguments network;
    HttpArguments http;
};

int seed(SeedArguments const& arguments) {
    Reporter reporter{arguments.json};
    Seeder::Options options;
    options.folders.assign(arguments.folders.begin(), arguments.folders.end());
    options.network = arguments.network.options();
    options.peers = arguments.network.peers;
    options.trackers = arguments.network.trackers;
    options.web_seeds = arguments.network.web_seeds;
    if (arguments.http.is_given()) options.http = arguments.http.options();

    EventLoop loop;
    RoleRun run{loop, reporter};
    RoleRun::keep_blocks_apart();
    Seeder::Events events;
    events.on_listening = [&](std::string const& endpoint) {
        reporter.event("listening", {{"address", endpoint}}, "listening on " + endpoint);
    };
    events.on_http = [&](std::string const& url) {
        reporter.event("http", {{"url", url}}, "preview at " + url);
    };
    events.on_notice = [&](std::string const& line) { reporter.notice(line); };
    events.on_warning = [&](std::string const& line) { reporter.warning(line); };
    events.on_ready = [&](auto const& folder, Link const& link, std::string const& magnet) {
        auto const text = format_link(link);
        reporter.event(
            "seeding", {{"folder", folder.string()}}, concat("seeding ", folder.string())
        );
        reporter.event(
            "link",
            {{"folder", folder.string()}, {"link", text}, {"magnet", magnet}},
            concat("  watch with:  minuteswarm watch '", text, "'")
        );
        if (!magnet.empty())
            reporter.event("magnet", {{"magnet", magnet}}, "  any BitTorrent client:  " + magnet);
    };
    events.on_stopped = [&](std::optional<Error> const& error) { run.on_stopped(error); };
    Seeder seeder{loop, std::move(options), std::move(events)};
    run.stop = [&] { seeder.stop(); };
    run.status = [&] { return seeder.status(); };
    run.start = [&] { seeder.start(); };
    return run.run();
}

} // namespace

void add_seed_command(CLI::App& app, Run& run) {
    auto const arguments = std::make_shared<SeedArguments>();
    auto& command = *app.add_subcommand("seed", "serve archived events, finished or still growing");
    command.add_option("folder", arguments->folders, "archive folders, one per event")
        ->type_name("")
        ->required();
    arguments->http.add_to(command, "serve a preview of the first, status and metrics here");
    command.add_flag("--json", arguments->json, "one JSON object per event on stdout");
    arguments->network.add_to(command);
    arguments->network.add_web_seeds_to(command);
    command.callback([arguments, &run] { run = [arguments] { return seed(*arguments); }; });
}

} // namespace minuteswarm
