#include "archive/exporter.hpp"
#include "archive/inspection.hpp"
#include "base/text.hpp"
#include "commands.hpp"
#include "inspection_json.hpp"
#include "link_argument.hpp"
#include "options.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

namespace minuteswarm {
namespace {

struct ExportArguments {
    std::string folder, output;
    std::chrono::microseconds from{-1}, to{-1};
    bool force = false;
};

int export_folder(ExportArguments const& arguments) {
    auto folder = EventFolder::open(arguments.folder);
    if (!folder) throw StartError{folder.error().message};
    auto records = RecordFile::open(*folder, RecordFile::Access::read);
    if (!records) throw StartError{records.error().message};
    ExportOptions options;
    options.output = arguments.output;
    options.force = arguments.force;
    if (arguments.from.count() >= 0) options.from = arguments.from;
    if (arguments.to.count() >= 0) options.to = arguments.to;
    auto const is_terminal = ::isatty(STDERR_FILENO) == 1;
    options.on_progress = [is_terminal](ExportOptions::Progress const& progress) {
        if (is_terminal && progress.total > 0) {
            std::fprintf(
                stderr,
                "\r%3.0f %%",
                100.0 * static_cast<double>(progress.bytes) / static_cast<double>(progress.total)
            );
        }
        return true;
    };
    auto const report = export_event(*folder, *records, options);
    if (is_terminal) std::fputs("\r\033[K", stderr);
    if (!report) throw StartError{report.error().message};
    for (auto const& file : report->files) {
        std::cout << file.path.string() << "  " << in_seconds(file.duration) << " s\n";
    }
    for (auto const number : report->skipped) {
        std::cerr << "left out chunk " << number.value << ": damaged or missing\n";
    }
    return exit_done;
}

int show(Link const& link, bool json) {
    if (json) {
        std::cout << to_json(link) << '\n';
        return exit_done;
    }
    std::cout << "link of a channel\n  channel  " << link.channel.hex() << '\n';
    if (!link.title.empty()) std::cout << "  title    " << link.title << '\n';
    for (auto const& peer : link.peers)
        std::cout << "  peer     " << peer << '\n';
    for (auto const& tracker : link.trackers)
        std::cout << "  tracker  " << tracker << '\n';
    for (auto const& seed : link.web_seeds)
        std::cout << "  web seed " << seed << '\n';
    return exit_done;
}

int inspect(std::string const& what, bool json) {
    if (!std::filesystem::is_directory(what)) return show(read_link_argument(what), json);
    auto const inspection = inspect_archive(what);
    if (inspection.problem && !json) throw StartError{*inspection.problem};
    std::cout << (json ? to_json(inspection) + "\n" : to_text(inspection));
    return inspection.is_whole() ? exit_done : exit_failed;
}

} // namespace

void add_archive_commands(CLI::App& app, Run& run) {
    auto const arguments = std::make_shared<ExportArguments>();
    auto& command =
        *app.add_subcommand("export", "write an archived event as one MP4, MKV or TS file");
    command.add_option("folder", arguments->folder, "the event's folder")
        ->type_name("")
        ->required();
    command
        .add_option("-o,--output", arguments->output, "file to write; its ending says the format")
        ->required()
        ->type_name("FILE");
    add_duration(command, "--from", arguments->from, "start here [the beginning]");
    add_duration(command, "--to", arguments->to, "end here [the end]");
    command.add_flag("--force", arguments->force, "replace a file that exists");
    command.callback([arguments, &run] { run = [arguments] { return export_folder(*arguments); }; }
    );

    auto const what = std::make_shared<std::string>();
    auto const json = std::make_shared<bool>(false);
    auto& inspecting =
        *app.add_subcommand("inspect", "say what a link, a file with one, or an archive is");
    inspecting.add_option("what", *what, "a link, a file with one, or an archive's folder")
        ->type_name("")
        ->required();
    inspecting.add_flag("--json", *json, "as one JSON object");
    inspecting.callback([what, json, &run] { run = [what, json] { return inspect(*what, *json); }; }
    );
}

} // namespace minuteswarm
