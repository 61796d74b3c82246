#pragma once

#include <cstddef>

namespace minuteswarm {

inline constexpr std::size_t packet_headers =
    66; ///< bytes: Ethernet 14, IPv4 20, TCP with timestamps 32 (RFC 7323)
inline constexpr std::size_t packet_payload = 1448; ///< most bytes of a message in 1500 of IP

inline constexpr std::size_t message_frame =
    6; ///< bytes before a message of an extension: length and two numbers (BEP 10)

constexpr std::size_t packets_of(std::size_t message) {
    return (message + packet_payload - 1) / packet_payload;
}

/// Bytes that a line carries for a message of so many bytes, which shares no packet with others.
constexpr std::size_t wire_size(std::size_t message) {
    return message + packets_of(message) * packet_headers;
}

/// Bytes with which its receiver acknowledges it: one packet for each two (RFC 9293, 3.8.6.3).
constexpr std::size_t acknowledgement_size(std::size_t message) {
    return (packets_of(message) + 1) / 2 * packet_headers;
}

} // namespace minuteswarm
