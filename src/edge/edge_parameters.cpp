#include "edge/edge_parameters.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::uint32_t short_span_ms = 125;
constexpr std::uint32_t usual_span_ms = 250;
constexpr std::uint32_t long_span_ms = 500; // beyond it, latency is worth more than stripes
constexpr std::uint32_t longest_span_ms = 1000;
constexpr std::uint64_t short_span_payload = 2 * limits::KiB;
constexpr std::uint8_t most_stripes = 8;
constexpr std::uint8_t least_stripes = 2;
constexpr std::uint8_t stripes_for_parity = 4; // with fewer, one more would cost 33 % and up

std::uint64_t payload_size(std::uint64_t bitrate, std::uint32_t span_ms, std::uint8_t stripes) {
    return bitrate / 8 * span_ms / 1000 / stripes;
}

std::uint8_t choose_stripes(std::uint64_t bitrate) {
    auto stripes = most_stripes;
    while (stripes > least_stripes &&
           payload_size(bitrate, long_span_ms, stripes) < limits::edge_block_least) {
        stripes /= 2;
    }
    return stripes;
}

std::uint32_t choose_span(std::uint64_t bitrate, std::uint8_t stripes) {
    if (payload_size(bitrate, short_span_ms, stripes) >= short_span_payload) return short_span_ms;
    auto span = usual_span_ms;
    while (span < longest_span_ms && payload_size(bitrate, span, stripes) < limits::edge_block_least
    ) {
        span *= 2;
    }
    return span;
}

} // namespace

EdgeParameters choose_parameters(std::uint64_t bitrate, std::optional<std::uint8_t> parity) {
    EdgeParameters parameters{usual_span_ms, most_stripes, 0};
    if (bitrate > 0) {
        parameters.stripes = choose_stripes(bitrate);
        parameters.span_ms = choose_span(bitrate, parameters.stripes);
    }
    auto const wanted = parity.value_or(parameters.stripes >= stripes_for_parity ? 1 : 0);
    auto const most = limits::edge_stripes - parameters.stripes;
    parameters.parity = static_cast<std::uint8_t>(std::min<std::uint32_t>(wanted, most));
    return parameters;
}

} // namespace minuteswarm
