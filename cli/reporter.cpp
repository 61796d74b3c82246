#include "reporter.hpp"

#include "base/plain_text.hpp"
#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iomanip>

namespace minuteswarm {
namespace {

constexpr std::chrono::seconds sparse_interval{30};

void print_json(nlohmann::ordered_json const& json) {
    auto const text =
        json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

std::string as_seconds(std::chrono::milliseconds time) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(1) << std::chrono::duration<double>(time).count()
        << " s";
    return out.str();
}

std::string as_megabits(std::uint64_t bits_per_second) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(bits_per_second < 10'000'000 ? 2 : 1)
        << static_cast<double>(bits_per_second) / 1e6;
    return out.str();
}

std::string as_clock(std::chrono::milliseconds time) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    std::ostringstream out;
    if (seconds >= 3600) out << seconds / 3600 << ':' << std::setw(2) << std::setfill('0');
    out << seconds / 60 % 60 << ':' << std::setw(2) << std::setfill('0') << seconds % 60;
    return out.str();
}

std::string describe(Status const& status) {
    auto const is_viewer = status.role == "watch" || status.role == "relay";
    auto line = concat(status.state, "  ", as_clock(status.uptime));
    if (status.newest_chunk.value > 0) line += concat("  chunk ", status.newest_chunk.value);
    if (is_viewer && status.state == "live") {
        // Not what it is now: chunks come at once, and the newest has just been released whole.
        line += "  latency up to " + as_seconds(status.latency.target);
    }
    if (status.gaps.count > 0) line += concat("  gaps ", status.gaps.count);
    line += concat("  peers ", status.peers.size());
    if (is_viewer) line += "  down " + as_megabits(status.rates.down);
    line += "  up " + as_megabits(status.rates.up) + " Mbit/s";
    if (!status.clients.empty()) line += concat("  players ", status.clients.size());
    return line;
}

/// A longer line would wrap, and then not be rewritten in place.
std::size_t terminal_width() {
    winsize size{};
    auto const is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return is_known ? size.ws_col - 1U : 79U;
}

} // namespace

Reporter::Reporter(bool json)
    : json_(json)
    , is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void Reporter::event(std::string_view name, Values const& values, std::string const& line) {
    if (json_) {
        nlohmann::ordered_json json = {{"event", name}};
        for (auto const& [key, value] : values)
            json[std::string{key}] = value;
        print_json(json);
    } else if (!line.empty()) {
        print(line);
    }
}

void Reporter::chunk(ChunkNumber number, std::string const& line) {
    if (json_) {
        print_json({{"event", "chunk"}, {"number", number.value}});
    } else if (!is_terminal_ && !line.empty()) {
        print(line);
    }
}

void Reporter::print(std::string const& line) {
    clear_live_line();
    auto const safe = to_plain_text(line, 2000); // titles and errors may come from elsewhere
    std::fprintf(stderr, "%s\n", safe.c_str());
}

void Reporter::status(Status const& status) {
    if (json_) return;
    auto line = describe(status);
    auto const now = MonotonicClock::now();
    if (is_terminal_) {
        line.resize(std::min(line.size(), terminal_width()));
        std::fprintf(stderr, "\r\033[K%s", line.c_str());
        std::fflush(stderr);
        has_live_line_ = true;
    } else if (now - last_status_ >= sparse_interval) {
        last_status_ = now;
        print(line);
    }
}

void Reporter::clear_live_line() {
    if (has_live_line_) std::fputs("\r\033[K", stderr);
    has_live_line_ = false;
}

} // namespace minuteswarm
