#include "http/http_range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace minuteswarm {
namespace {

std::string_view trimmed(std::string_view text) {
    auto const first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || stop != end || error != std::errc{}) return std::nullopt;
    return value;
}

RangeAnswer answer_suffix(std::string_view text, std::uint64_t size) {
    auto const length = parse_number(text);
    if (!length) return WholeBody{};
    if (*length == 0 || size == 0) return UnsatisfiableRange{};
    auto const taken = std::min(*length, size);
    return ByteSpan{size - taken, taken};
}

} // namespace

RangeAnswer answer_range(std::string_view field, std::uint64_t size) {
    constexpr std::string_view unit = "bytes=";
    if (!field.starts_with(unit)) return WholeBody{};
    auto const spec = trimmed(field.substr(unit.size()));
    auto const dash = spec.find('-');
    if (dash == std::string_view::npos) return WholeBody{};
    if (dash == 0) return answer_suffix(spec.substr(1), size);

    auto const first = parse_number(spec.substr(0, dash));
    if (!first) return WholeBody{};
    auto const tail = spec.substr(dash + 1);
    auto const last = tail.empty() ? UINT64_MAX : parse_number(tail);
    if (!last || *last < *first) return WholeBody{};
    if (*first >= size) return UnsatisfiableRange{};
    return ByteSpan{*first, std::min(*last, size - 1) - *first + 1};
}

} // namespace minuteswarm
