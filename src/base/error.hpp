#pragma once

#include <stdexcept>
#include <string>

namespace minuteswarm {

/// Why something was refused or failed, as one line for a person.
struct Error {
    std::string message;

    bool operator==(Error const&) const = default;
};

/// Ends the program before or at its start; `main` prints it as one line that says what to do.
class StartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace minuteswarm
