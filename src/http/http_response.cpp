#include "http/http_response.hpp"

#include "base/text.hpp"

#include <array>
#include <cassert>
#include <ctime>

namespace minuteswarm {
namespace {

std::string_view reason(unsigned status) {
    switch (status) {
    case 200:
        return "OK";
    case 206:
        return "Partial Content";
    case 307:
        return "Temporary Redirect";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Payload Too Large";
    case 416:
        return "Range Not Satisfiable";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

/// RFC 7231 7.1.1.1; English names whatever the user's locale is.
std::string http_date(WallTime time) {
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto const seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    auto const whole = static_cast<std::time_t>(seconds);
    std::tm date{};
    if (gmtime_r(&whole, &date) == nullptr) return {};
    std::array<char, 32> clock{};
    std::strftime(clock.data(), clock.size(), "%Y %H:%M:%S GMT", &date);
    auto const* const day = days.at(static_cast<std::size_t>(date.tm_wday));
    auto const* const month = months.at(static_cast<std::size_t>(date.tm_mon));
    auto const* const zero = date.tm_mday < 10 ? "0" : "";
    return concat(day, ", ", zero, date.tm_mday, " ", month, " ", clock.data());
}

} // namespace

ResponseHead::ResponseHead(unsigned status)
    : status_(status) {}

ResponseHead& ResponseHead::set(std::string_view name, std::string value) {
    assert(value.find_first_of("\r\n") == std::string::npos);
    fields_.emplace_back(name, std::move(value));
    return *this;
}

std::string ResponseHead::text(WallTime now) const {
    auto text =
        concat("HTTP/1.1 ", status_, " ", reason(status_), "\r\nDate: ", http_date(now), "\r\n");
    for (auto const& [name, value] : fields_)
        text.append(name).append(": ").append(value).append("\r\n");
    return text.append("\r\n");
}

} // namespace minuteswarm
