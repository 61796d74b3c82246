// Stands in for libFuzzer where the compiler has none: every file of the corpus, then mutations of
// them, always the same ones. An input that ends the program is left in the file `crash-input`.
#include "fuzz/fuzz.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace {

using minuteswarm::Bytes;

constexpr int mutations = 2000;

Bytes current; // for the signal handler, which gets no argument

extern "C" void keep_input(int signal_number) {
    int const file = ::open("crash-input", O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (file >= 0) {
        [[maybe_unused]] auto const written = ::write(file, current.data(), current.size());
        ::close(file);
    }
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number);
}

void run(Bytes input) {
    current = std::move(input);
    // A copy of exactly this size, so that reading past its end is noticed by sanitizers.
    auto const copy = Bytes(current.begin(), current.end());
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

std::vector<Bytes> read_corpus(std::filesystem::path const& folder) {
    std::vector<std::filesystem::path> paths;
    for (auto const& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    std::vector<Bytes> corpus;
    for (auto const& path : paths) {
        std::ifstream file{path, std::ios::binary};
        corpus.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
    }
    return corpus;
}

/// Changes inputs a little, in ways that parsers of lengths and delimiters stumble over.
class Mutator {
public:
    explicit Mutator(std::vector<Bytes> const& corpus)
        : corpus_(corpus) {}

    Bytes next() {
        auto input = any_input();
        for (auto left = below(4) + 1; left > 0; --left)
            change(input);
        return input;
    }

private:
    // Not a std distribution: those differ between libraries.
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

    Bytes const& any_input() { return corpus_[below(corpus_.size())]; }

    std::ptrdiff_t place(Bytes const& input) {
        return static_cast<std::ptrdiff_t>(below(input.size() + 1));
    }

    std::uint8_t any_byte() {
        static constexpr std::uint8_t telling[] = {
            0, 1, 0x7f, 0x80, 0xff, '0', '9', 'e', ':', '-', '%', '\n'};
        return below(2) == 0 ? telling[below(std::size(telling))]
                             : static_cast<std::uint8_t>(random_());
    }

    void change(Bytes& input) {
        auto const at = place(input);
        auto const end = std::min(at + 1 + place(Bytes(16)), std::ssize(input));
        auto const from = input.begin() + at;
        switch (below(6)) {
        case 0:
            if (at < std::ssize(input)) *from ^= static_cast<std::uint8_t>(1U << below(8));
            return;
        case 1:
            if (at < std::ssize(input)) *from = any_byte();
            return;
        case 2:
            input.insert(from, below(16) + 1, any_byte());
            return;
        case 3:
            input.erase(from, input.begin() + std::max(at, end));
            return;
        case 4: {
            Bytes const part(from, input.begin() + std::max(at, end));
            input.insert(input.begin() + place(input), part.begin(), part.end());
            return;
        }
        default: {
            auto const& other = any_input();
            input.erase(from, input.end());
            input.insert(input.end(), other.begin() + place(other), other.end());
        }
        }
    }

    std::vector<Bytes> const& corpus_;
    std::mt19937 random_{20231114};
};

} // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: fuzz_NAME CORPUS_FOLDER\n", stderr);
        return 2;
    }
    auto const corpus = read_corpus(arguments[1]);
    if (corpus.empty()) {
        std::fputs("the corpus is empty\n", stderr);
        return 1;
    }
    for (int const number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE})
        ::signal(number, keep_input);
    run({});
    for (auto const& input : corpus)
        run(input);
    Mutator mutator{corpus};
    for (int i = 0; i < mutations; ++i)
        run(mutator.next());
    std::printf("%zu files and %d mutations\n", corpus.size(), mutations);
}
