#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace minuteswarm {

/// What a command does once its options are read; returns the exit code.
using Run = std::function<int()>;

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_interrupted = 130;

/// Each adds its subcommand to `app` and sets `run` when that is chosen.
void add_publish_command(CLI::App& app, Run& run);
void add_watch_commands(CLI::App& app, Run& run); ///< watch, relay
void add_seed_command(CLI::App& app, Run& run);
void add_archive_commands(CLI::App& app, Run& run); ///< export, inspect
void add_key_commands(CLI::App& app, Run& run);     ///< keygen, link

} // namespace minuteswarm
