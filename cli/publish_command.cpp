#include "archive/file.hpp"
#include "archive/key_file.hpp"
#include "archive/retention.hpp"
#include "base/text.hpp"
#include "commands.hpp"
#include "options.hpp"
#include "publisher.hpp"
#include "reporter.hpp"
#include "role_run.hpp"

#include <fstream>
#include <memory>

namespace minuteswarm {
namespace {

struct PublishArguments {
    std::string input, channel, key, title, archive, retain = "all", link_file;
    std::chrono::microseconds chunk = std::chrono::seconds{4};
    int parity = -1;
    bool new_event = false, loop = false, as_fast_as_possible = false, json = false;
    NetworkArguments network;
    HttpArguments http;
};

std::filesystem::path key_path(PublishArguments const& arguments) {
    if (!arguments.key.empty()) return arguments.key;
    auto const path = channel_key_path(arguments.channel, user_data_folder());
    if (!path) throw StartError{"--channel: " + path.error().message};
    if (auto made = make_folders(path->parent_path()); !made)
        throw StartError{made.error().message};
    return *path;
}

Publisher::Options make_options(PublishArguments const& arguments) {
    Publisher::Options options;
    options.input = arguments.input;
    options.title = arguments.title;
    options.chunk_duration = arguments.chunk;
    options.archive = arguments.archive.empty() ? user_data_folder() / "minuteswarm" / "archive"
                                                : std::filesystem::path{arguments.archive};
    options.retain = *parse_retention(arguments.retain);
    options.is_new_event = arguments.new_event;
    options.is_looped = arguments.loop;
    options.as_fast_as_possible = arguments.as_fast_as_possible;
    if (arguments.parity >= 0) options.parity = static_cast<std::uint8_t>(arguments.parity);
    options.network = arguments.network.options();
    options.peers = arguments.network.peers;
    options.trackers = arguments.network.trackers;
    options.web_seeds = arguments.network.web_seeds;
    if (arguments.http.is_given()) options.http = arguments.http.options();
    return options;
}

Publisher::Events make_events(PublishArguments const& arguments, Reporter& reporter, RoleRun& run) {
    Publisher::Events events;
    events.on_ready = [&](Link const& link, std::string const& listening) {
        auto const text = format_link(link);
        reporter.event("listening", {{"address", listening}}, {});
        reporter.event("link", {{"link", text}}, "watch with:  minuteswarm watch '" + text + "'");
        if (arguments.link_file.empty()) return;
        if (!(std::ofstream{arguments.link_file} << text << '\n' << std::flush))
            reporter.warning("cannot write the link to " + arguments.link_file);
    };
    events.on_http = [&](std::string const& url) {
        reporter.event("http", {{"url", url}}, "own preview at " + url);
    };
    events.on_chunk = [&](Record const& record) {
        reporter.chunk(
            record.number,
            concat(
                "chunk ",
                record.number.value,
                ": ",
                in_seconds(record.duration),
                " s, ",
                record.size / 1000,
                " kB"
            )
        );
    };
    events.on_notice = [&](std::string const& line) { reporter.notice(line); };
    events.on_warning = [&](std::string const& line) { reporter.warning(line); };
    events.on_end = [&](std::string const& magnet, std::filesystem::path const& folder) {
        reporter.event(
            "end",
            {{"magnet", magnet}, {"folder", folder.string()}},
            concat(
                "the event has ended; keep it available with:  minuteswarm seed '",
                folder.string(),
                "'"
            )
        );
    };
    events.on_stopped = [&](std::optional<Error> const& error) { run.on_stopped(error); };
    return events;
}

int publish(PublishArguments const& arguments) {
    Reporter reporter{arguments.json};
    auto key = KeyFile::load_or_create(key_path(arguments));
    if (auto const warning = key.warning()) reporter.warning(*warning);
    EventLoop loop;
    RoleRun run{loop, reporter};
    if (!arguments.as_fast_as_possible) RoleRun::keep_blocks_apart();
    Publisher publisher{
        loop, std::move(key), make_options(arguments), make_events(arguments, reporter, run)};
    run.stop = [&] { publisher.stop(); };
    run.status = [&] { return publisher.status(); };
    run.start = [&] { publisher.start(); };
    run.stopping = "stopping: the last chunk goes out; Ctrl-C again stops at once";
    return run.run();
}

void add_key_options(CLI::App& command, PublishArguments& arguments) {
    command
        .add_option(
            "--channel",
            arguments.channel,
            "whose broadcast it is: a name of yours; its key is made if new"
        )
        ->type_name("NAME");
    command.add_option("--key", arguments.key, "or the file of the channel's key; made if absent")
        ->type_name("FILE");
}

void add_archive_options(CLI::App& command, PublishArguments& arguments) {
    command
        .add_option(
            "--archive", arguments.archive, "folder that keeps the chunks [user's data folder]"
        )
        ->type_name("DIR")
        ->take_last();
    command.add_option("--retain", arguments.retain, "how much of it: 24h, 10G or all [all]")
        ->type_name("LIMIT")
        ->take_last()
        ->check(CLI::Validator{
            [](std::string const& text) {
                auto const parsed = parse_retention(text);
                return parsed ? std::string{} : parsed.error().message;
            },
            ""});
    command.add_flag(
        "--new-event",
        arguments.new_event,
        "end an event that was interrupted and begin a new one, rather than go on with it"
    );
}

} // namespace

void add_publish_command(CLI::App& app, Run& run) {
    auto const arguments = std::make_shared<PublishArguments>();
    auto& command = *app.add_subcommand("publish", "broadcast a live or recorded source");
    command
        .add_option(
            "input",
            arguments->input,
            "file, URL, rtmp://HOST:PORT/APP/KEY to wait for an encoder, or - for stdin"
        )
        ->type_name("")
        ->required();
    add_key_options(command, *arguments);
    command.add_option("--title", arguments->title, "what viewers see")
        ->type_name("TEXT")
        ->take_last();
    add_duration(
        command,
        "--chunk",
        arguments->chunk,
        "duration of a chunk, 1 to 120 s [4]",
        {std::chrono::seconds{1}, std::chrono::seconds{120}}
    );
    add_archive_options(command, *arguments);
    command.add_flag("--loop", arguments->loop, "start a file again at its end");
    command.add_flag(
        "--as-fast-as-possible", arguments->as_fast_as_possible, "do not pace a file to real time"
    );
    command.add_option("--link-file", arguments->link_file, "write the link here, too")
        ->type_name("FILE")
        ->take_last();
    arguments->http.add_to(command, "serve a preview, status and metrics here");
    command.add_flag("--json", arguments->json, "one JSON object per event on stdout");
    command
        .add_option(
            "--parity",
            arguments->parity,
            "stripes of the live edge that only mend [1; none below 4 stripes]"
        )
        ->type_name("M")
        ->check(CLI::Range(0, 8))
        ->take_last();
    arguments->network.add_to(command);
    arguments->network.add_web_seeds_to(command);
    command.callback([arguments, &run] {
        require_one("--channel NAME or --key FILE", {arguments->channel, arguments->key});
        run = [arguments] { return publish(*arguments); };
    });
}

} // namespace minuteswarm
