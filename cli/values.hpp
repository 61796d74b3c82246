#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace minuteswarm {

/// `500k`, `2M`, `1500000`: bits per second.
std::optional<std::uint64_t> parse_rate(std::string_view text);

/// `3`, `2.5`, `500ms`.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

/// `2G`, `500M`, `64k`, bytes in powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace minuteswarm
