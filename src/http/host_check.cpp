#include "http/host_check.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

namespace minuteswarm {
namespace {

constexpr std::size_t longest_host = 255;

bool is_port(std::string_view text) {
    return text.size() <= 5 && std::ranges::all_of(text, [](unsigned char character) {
               return std::isdigit(character) != 0;
           });
}

/// The host without its port and brackets (RFC 3986 3.2.2); none if it isn't `host [":" port]`.
std::optional<std::string> without_port(std::string_view host) {
    if (host.empty() || host.size() > longest_host) return std::nullopt;
    if (host.front() == '[') {
        auto const end = host.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        auto const rest = host.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
        return std::string{host.substr(1, end - 1)};
    }
    auto const colon = host.find(':');
    if (colon == std::string_view::npos) return std::string{host};
    if (!is_port(host.substr(colon + 1))) return std::nullopt;
    return std::string{host.substr(0, colon)};
}

/// An IPv4 address that came in at an IPv6 socket is the IPv4 address.
boost::asio::ip::address unmapped(boost::asio::ip::address const& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

bool is_localhost(std::string name) {
    std::ranges::transform(name, name.begin(), [](unsigned char character) {
        return static_cast<char>(std::tolower(character));
    });
    return name == "localhost" || name == "localhost.";
}

} // namespace

bool is_own_host(std::string_view host, std::string_view reached) {
    auto const name = without_port(host);
    if (!name) return false;
    if (is_localhost(*name)) return true;
    boost::system::error_code error;
    auto const address = unmapped(boost::asio::ip::make_address(*name, error));
    if (error) return false;
    if (address.is_loopback()) return true;
    auto const own = boost::asio::ip::make_address(std::string{reached}, error);
    return !error && address == unmapped(own);
}

} // namespace minuteswarm
