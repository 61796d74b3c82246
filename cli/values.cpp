#include "values.hpp"

#include <charconv>
#include <cmath>

namespace minuteswarm {
namespace {

/// A non-negative decimal number at the front; the rest is its unit.
std::optional<double> take_number(std::string_view& text) {
    double value = 0;
    auto const* const end = text.data() + text.size();
    auto const result = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (result.ec != std::errc{} || value < 0 || !std::isfinite(value)) return std::nullopt;
    text = std::string_view(result.ptr, static_cast<std::size_t>(end - result.ptr));
    return value;
}

std::optional<std::uint64_t> scaled(std::string_view text, double step) {
    constexpr std::string_view units = "kMGT";
    auto const number = take_number(text);
    if (!number || text.size() > 1) return std::nullopt;
    auto value = *number;
    if (!text.empty()) {
        auto const unit = units.find(text[0] == 'K' ? 'k' : text[0]);
        if (unit == std::string_view::npos) return std::nullopt;
        value *= std::pow(step, static_cast<double>(unit + 1));
    }
    if (value > 1e15) return std::nullopt;
    return static_cast<std::uint64_t>(value);
}

} // namespace

std::optional<std::uint64_t> parse_rate(std::string_view text) {
    return scaled(text, 1000);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    return scaled(text, 1024);
}

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
    auto const number = take_number(text);
    if (!number || *number > 1e9) return std::nullopt;
    double seconds = 1;
    if (text == "ms") {
        seconds = 1e-3;
    } else if (!text.empty() && text != "s") {
        return std::nullopt;
    }
    return std::chrono::microseconds{std::llround(*number * seconds * 1e6)};
}

} // namespace minuteswarm
