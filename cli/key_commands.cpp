#include "archive/event_folder.hpp"
#include "archive/key_file.hpp"
#include "archive/record_file.hpp"
#include "archive/torrent_files.hpp"
#include "commands.hpp"
#include "feed/link.hpp"
#include "options.hpp"

#include <iostream>
#include <memory>

namespace minuteswarm {
namespace {

struct LinkArguments {
    std::string folder, channel, key, torrents;
    std::vector<std::string> peers, trackers;
};

int keygen(std::string const& file) {
    auto const key = KeyFile::create(file);
    std::cout << key.key().channel().hex() << '\n';
    return exit_done;
}

void write_torrents(LinkArguments const& arguments, EventFolder const& folder) {
    auto const records = RecordFile::open(folder, RecordFile::Access::read);
    if (!records) throw StartError{records.error().message};
    auto const written =
        write_chunk_torrents(folder, *records, arguments.torrents, arguments.trackers, {});
    if (!written) throw StartError{"--torrents: " + written.error().message};
    std::cerr << "wrote " << *written << " .torrent files to " << arguments.torrents << '\n';
}

int print_link(LinkArguments const& arguments) {
    Link link;
    link.peers = arguments.peers;
    link.trackers = arguments.trackers;
    if (!arguments.folder.empty()) {
        auto const folder = EventFolder::open(arguments.folder);
        if (!folder) throw StartError{folder.error().message};
        link.channel = folder->channel();
        auto const records = RecordFile::open(*folder, RecordFile::Access::read);
        if (records && records->descriptor()) link.title = records->descriptor()->value.title;
        if (!arguments.torrents.empty()) write_torrents(arguments, *folder);
    } else if (!arguments.key.empty()) {
        link.channel = KeyFile::read_channel(arguments.key);
    } else {
        auto const path = channel_key_path(arguments.channel, user_data_folder());
        if (!path) throw StartError{"--channel: " + path.error().message};
        link.channel = KeyFile::read_channel(*path);
    }
    std::cout << format_link(link) << '\n';
    return exit_done;
}

} // namespace

void add_key_commands(CLI::App& app, Run& run) {
    auto const file = std::make_shared<std::string>();
    auto& keygen_command = *app.add_subcommand("keygen", "make a channel's key");
    keygen_command.add_option("file", *file, "file to make; must not exist")
        ->type_name("")
        ->required();
    keygen_command.callback([file, &run] { run = [file] { return keygen(*file); }; });

    auto const arguments = std::make_shared<LinkArguments>();
    auto& link = *app.add_subcommand("link", "print the link of an archive or of a channel");
    auto* const folder =
        link.add_option("folder", arguments->folder, "an event's folder, or")->type_name("");
    link.add_option("--channel", arguments->channel, "a name of yours that has a key, or")
        ->type_name("NAME");
    link.add_option("--key", arguments->key, "the file of a channel's key")->type_name("FILE");
    link.add_option("--peer", arguments->peers, "a peer to name in it; may be repeated")
        ->type_name("HOST:PORT")
        ->check(host_port(false));
    link.add_option("--tracker", arguments->trackers, "a tracker to name in it; may be repeated")
        ->type_name("URL")
        ->check(tracker_url());
    link.add_option(
            "--torrents", arguments->torrents, "write a .torrent file of each chunk to this folder"
    )
        ->type_name("DIR")
        ->needs(folder);
    link.callback([arguments, &run] {
        require_one(
            "a folder, --channel NAME or --key FILE",
            {arguments->folder, arguments->channel, arguments->key}
        );
        run = [arguments] { return print_link(*arguments); };
    });
}

} // namespace minuteswarm
