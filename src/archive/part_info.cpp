#include "archive/part_info.hpp"

#include "archive/file.hpp"
#include "base/text.hpp"

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

namespace minuteswarm {

namespace {

constexpr std::array containers{
    Container::mpeg_ts, Container::mp3, Container::adts, Container::fmp4};

/// The values of a text's lines by their words.
class Values {
public:
    explicit Values(std::string_view text) {
        std::istringstream lines{std::string(text)};
        for (std::string line; std::getline(lines, line);) {
            auto const space = line.find(' ');
            if (space != std::string::npos) values_[line.substr(0, space)] = line.substr(space + 1);
        }
    }

    std::string_view text(std::string const& word) {
        auto const found = values_.find(word);
        if (found == values_.end()) is_good_ = false;
        return found == values_.end() ? std::string_view() : found->second;
    }

    template <class Integer>
    Integer number(std::string const& word) {
        auto const digits = text(word);
        Integer value{};
        auto const [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size()) is_good_ = false;
        return value;
    }

    template <class Value>
    Value required(std::optional<Value> const& value) {
        if (!value) is_good_ = false;
        return value.value_or(Value{});
    }

    [[nodiscard]] bool is_good() const { return is_good_; }

private:
    std::map<std::string, std::string> values_;
    bool is_good_ = true;
};

std::optional<Container> parse_container(std::string_view text) {
    for (auto const container : containers) {
        if (extension(container) == text) return container;
    }
    return std::nullopt;
}

} // namespace

std::string format_part_info(PartInfo const& info) {
    auto const& opening = info.opening;
    std::ostringstream out;
    out << "event " << opening.event.value << '\n'
        << "rendition " << opening.rendition.value << '\n'
        << "run " << opening.run.hex() << '\n'
        << "epoch " << opening.epoch.value << '\n'
        << "number " << opening.number.value << '\n'
        << "media-time " << opening.media_time.count() << '\n'
        << "wall-time " << opening.wall_time.time_since_epoch().count() << '\n'
        << "container " << extension(opening.container) << '\n'
        << "discontinuity " << opening.is_discontinuity << '\n'
        << "independent " << opening.is_independent << '\n'
        << "boot " << info.boot << '\n';
    return out.str();
}

Expected<PartInfo> parse_part_info(std::string_view text) {
    Values values(text);
    PartInfo info;
    auto& opening = info.opening;
    opening.event = {values.number<std::uint64_t>("event")};
    opening.rendition = {values.number<std::uint32_t>("rendition")};
    opening.run = values.required(RunId::parse_hex(values.text("run")));
    opening.epoch = {values.number<std::uint32_t>("epoch")};
    opening.number = {values.number<std::uint64_t>("number")};
    opening.media_time = MediaTime{values.number<std::int64_t>("media-time")};
    opening.wall_time = WallTime{MediaTime{values.number<std::int64_t>("wall-time")}};
    opening.container = values.required(parse_container(values.text("container")));
    opening.is_discontinuity = values.number<unsigned>("discontinuity") != 0;
    opening.is_independent = values.number<unsigned>("independent") != 0;
    info.boot = values.text("boot");
    auto const is_possible = opening.number.value > 0 && opening.media_time >= MediaTime::zero() &&
                             opening.wall_time >= WallTime{};
    if (!values.is_good() || !is_possible) return Error{"an unreadable .part.info file"};
    return info;
}

std::string current_boot() {
    auto const bytes = read_file("/proc/sys/kernel/random/boot_id", 64);
    if (!bytes) return {};
    auto const text = as_text(*bytes);
    return std::string(text.substr(0, text.find('\n')));
}

} // namespace minuteswarm
