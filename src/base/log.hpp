#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace minuteswarm {

enum class LogLevel { debug, info, warn, error };

/// Where a stage reports what a person may want to know; the role decides where it goes.
/// Called on any thread. Lines start with the stage's name and hold no line break.
using Log = std::function<void(LogLevel, std::string_view stage, std::string_view line)>;

} // namespace minuteswarm
