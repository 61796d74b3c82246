#pragma once

#include "base/expected.hpp"
#include "base/statements.hpp"

#include <string>
#include <string_view>

namespace minuteswarm {

/// What a `.part.info` file tells: the opening of the record its `.part` is to get, and when the
/// machine was started, since what a process wrote but did not sync survives its kill but not the
/// machine's.
struct PartInfo {
    Record opening;
    std::string boot; ///< current_boot() when it was written

    bool operator==(PartInfo const&) const = default;
};

/// Lines of a word, a space and a value.
std::string format_part_info(PartInfo const& info);
Expected<PartInfo> parse_part_info(std::string_view text);

/// Different after each start of the machine; empty where the system does not tell.
std::string current_boot();

} // namespace minuteswarm
