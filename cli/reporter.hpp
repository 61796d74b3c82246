#pragma once

#include "http/status.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace minuteswarm {

/// Tells a person (lines on stderr, one of them live on a terminal) or a script (JSON objects on
/// stdout) what happens.
class Reporter {
public:
    explicit Reporter(bool json);
    ~Reporter() { clear_live_line(); }

    /// One event: for scripts its name and values, for people a line (none if empty).
    using Values = std::vector<std::pair<std::string_view, std::string>>;
    void event(std::string_view name, Values const& values, std::string const& line);
    void chunk(ChunkNumber number, std::string const& line);
    void notice(std::string const& line) { event("notice", {{"message", line}}, line); }
    void warning(std::string const& line) { event("warning", {{"message", line}}, line); }

    /// A line for people alone.
    void say(std::string const& line) {
        if (!json_ && !line.empty()) print(line);
    }

    /// The status line: rewritten in place on a terminal, seldom printed elsewhere, never with
    /// --json.
    void status(Status const& status);

private:
    void print(std::string const& line);
    void clear_live_line();

    bool json_;
    bool is_terminal_;
    bool has_live_line_ = false;
    MonotonicTime last_status_{};
};

} // namespace minuteswarm
