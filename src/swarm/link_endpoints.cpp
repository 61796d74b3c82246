#include "swarm/link_endpoints.hpp"

#include "feed/link.hpp"
#include "swarm/bans.hpp"
#include "swarm/libtorrent_access.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <optional>

namespace minuteswarm {
namespace {

constexpr std::size_t link_endpoints = 8;

std::optional<lt::address> address_of(std::string const& endpoint) {
    auto const parsed = parse_host_port(endpoint);
    if (!parsed) return std::nullopt;
    boost::system::error_code error;
    auto const address = boost::asio::ip::make_address(parsed->host, error);
    return error ? std::nullopt : std::optional{address};
}

bool is_loopback(std::string const& endpoint) {
    auto const address = address_of(endpoint);
    return address && address->is_loopback();
}

bool is_link_local(std::string const& endpoint) {
    auto const address = address_of(endpoint);
    return address && address->is_v6() && address->to_v6().is_link_local();
}

bool is_public(std::string const& endpoint) {
    auto const address = address_of(endpoint);
    return address && !is_shared_address(from_endpoint({*address, 1}).address);
}

} // namespace

std::vector<std::string> choose_link_endpoints(std::vector<std::string> const& own) {
    std::vector<std::string> chosen;
    auto const outward = std::any_of(own.begin(), own.end(), [](auto const& endpoint) {
        return !is_loopback(endpoint) && !is_link_local(endpoint);
    });
    for (auto const& endpoint : own) {
        if (outward && (is_loopback(endpoint) || is_link_local(endpoint))) continue;
        if (std::find(chosen.begin(), chosen.end(), endpoint) == chosen.end())
            chosen.push_back(endpoint);
    }
    std::stable_partition(chosen.begin(), chosen.end(), is_public);
    if (chosen.size() > link_endpoints) chosen.resize(link_endpoints);
    return chosen;
}

bool is_reachable_from_outside(std::vector<std::string> const& endpoints) {
    return std::any_of(endpoints.begin(), endpoints.end(), is_public);
}

bool is_loopback_only(std::vector<std::string> const& endpoints) {
    return std::all_of(endpoints.begin(), endpoints.end(), is_loopback);
}

} // namespace minuteswarm
