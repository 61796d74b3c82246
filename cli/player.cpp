#include "player.hpp"

#include "base/error.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <sstream>
#include <vector>

namespace minuteswarm {

Player::Player(std::string const& command, std::string const& url) {
    std::istringstream words{command};
    std::vector<std::string> arguments;
    for (std::string word; words >> word;)
        arguments.push_back(word);
    arguments.push_back(url);
    std::vector<char*> raw;
    for (auto& argument : arguments)
        raw.push_back(argument.data());
    raw.push_back(nullptr);
    auto const error = ::posix_spawnp(&process_, raw[0], nullptr, nullptr, raw.data(), environ);
    if (error != 0) {
        process_ = -1;
        throw StartError{
            "cannot start '" + arguments[0] + "': " + std::strerror(error)}; // NOLINT: at start-up
    }
}

Player::~Player() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
}

} // namespace minuteswarm
