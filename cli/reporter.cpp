#include "reporter.hpp"

#include "base/plain_text.hpp"
#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

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

std::string as_rate(std::uint64_t bits_per_second) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(bits_per_second < 10'000'000 ? 2 : 1)
        << static_cast<double>(bits_per_second) / 1e6 << " Mbit/s";
    return out.str();
}

std::string describe(Status const& status) {
    auto line = concat(status.state, "  chunk ", status.newest_chunk.value);
    if (status.role == "watch" || status.role == "relay") {
        line += "  latency " + as_seconds(status.latency.now);
    }
    if (status.gaps.count > 0) line += concat("  gaps ", status.gaps.count);
    line += concat("  peers ", status.peers.size());
    line += "  down " + as_rate(status.rates.down) + "  up " + as_rate(status.rates.up);
    if (!status.clients.empty()) line += concat("  players ", status.clients.size());
    return line;
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
    auto const line = describe(status);
    auto const now = MonotonicClock::now();
    if (is_terminal_) {
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
