#include "simulation/scenario.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string_view>

using namespace minuteswarm::simulation;

namespace {

int usage() {
    std::cerr << "usage: minuteswarm_simulation SCENARIO [key=value]… [json=1]\nscenarios:";
    for (auto const& name : scenario_names())
        std::cerr << ' ' << name;
    std::cerr << '\n';
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) return usage();
    auto options = scenario(argv[1]);
    if (!options) return usage();
    bool is_json = false;
    for (int i = 2; i < argc; ++i) {
        std::string_view const argument = argv[i];
        auto const equals = argument.find('=');
        if (equals == std::string_view::npos) return usage();
        auto const key = argument.substr(0, equals);
        auto const value = argument.substr(equals + 1);
        if (key == "json") {
            is_json = value == "1";
        } else if (!set_option(*options, key, value)) {
            return usage();
        }
        if (key != "json") options->name += ' ' + std::string{argument};
    }
    auto const start = std::chrono::steady_clock::now();
    auto const result = run(*options);
    auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start);
    std::cout << (is_json ? to_json(result) : to_row(result)) << '\n';
    std::cerr << options->name << ": " << took.count() << " s\n";
    return 0;
}
