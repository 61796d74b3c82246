#pragma once

#include <sys/types.h>

#include <string>

namespace minuteswarm {

/// A player process on the stream; ends with its owner.
class Player {
public:
    /// `command` may hold arguments of its own, separated by spaces. Throws StartError when it
    /// cannot start.
    Player(std::string const& command, std::string const& url);
    ~Player();
    Player(Player const&) = delete;
    Player& operator=(Player const&) = delete;

private:
    pid_t process_ = -1;
};

} // namespace minuteswarm
