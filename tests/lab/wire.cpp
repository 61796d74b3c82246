// The network between the nodes of the lab: reads every packet from a TUN device, holds it for as
// long as the lines of its sender and its receiver take, loses some, and writes it back.
//
//   lab_wire DEVICE SEED
//
// Standard input changes the lines while it runs, one command on a line; its end ends the program:
//   line ADDRESS DELAY JITTER LOSS fifo|any   one way, ms; up to JITTER ms more; share lost, 0 to
//   1;
//                                             whether packets may overtake each other
//   cut ADDRESS | restore ADDRESS             nothing passes this line
// Standard output has one JSON object at the end: what was forwarded, lost, dropped, and how late.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace minuteswarm::lab {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;
using Address = std::uint32_t; ///< network byte order

constexpr std::size_t largest_packet = 2048;
constexpr std::size_t most_held = 100'000;
/// Waking up costs more than a packet: the device is looked at so often at most, which makes
/// packets up to twice as much later.
constexpr auto pause = std::chrono::microseconds{500};
/// Packets read in a row before those that are due get their turn.
constexpr int batch = 1000;

std::system_error failure(char const* what) {
    return {errno, std::generic_category(), what};
}

/// What a packet meets between the node and the middle of the network, either way.
struct Line {
    Milliseconds delay{};
    Milliseconds jitter{};
    double loss = 0;
    bool overtakes = false;
    bool is_cut = false;
};

struct Counts {
    std::uint64_t forwarded = 0;
    std::uint64_t lost = 0;    ///< as the lines have it
    std::uint64_t cut = 0;     ///< met a cut line
    std::uint64_t unknown = 0; ///< from or to nobody
    std::uint64_t overflow = 0;
    Milliseconds latest{}; ///< after its time was a packet forwarded
};

/// Decides what becomes of a packet. Pure but for its seeded dice.
class Lines {
public:
    explicit Lines(std::uint64_t seed)
        : dice_{seed} {}

    void set(Address address, Line line) { lines_[address] = line; }
    void cut(Address address, bool is_cut) { lines_.at(address).is_cut = is_cut; }

    /// When it arrives; none: it does not.
    std::optional<Time> arrival(Time now, Address from, Address to, Counts& counts) {
        auto const sender = lines_.find(from);
        auto const receiver = lines_.find(to);
        if (sender == lines_.end() || receiver == lines_.end()) {
            ++counts.unknown;
            return {};
        }
        auto const& out = sender->second;
        auto const& in = receiver->second;
        if (out.is_cut || in.is_cut) {
            ++counts.cut;
            return {};
        }
        if (chance_(dice_) < out.loss || chance_(dice_) < in.loss) {
            ++counts.lost;
            return {};
        }
        auto const jitter = out.jitter * chance_(dice_) + in.jitter * chance_(dice_);
        auto const at =
            now + std::chrono::duration_cast<Clock::duration>(out.delay + in.delay + jitter);
        if (out.overtakes || in.overtakes) return at;
        auto& last = last_[{from, to}];
        return last = std::max(last, at);
    }

private:
    std::mt19937_64 dice_;
    std::uniform_real_distribution<> chance_;
    std::unordered_map<Address, Line> lines_;
    std::map<std::pair<Address, Address>, Time> last_;
};

struct Held {
    Time due;
    std::uint64_t number; ///< in order of coming, among those due at once
    std::vector<char> packet;

    bool operator<(Held const& other) const {
        return std::pair{due, number} > std::pair{other.due, other.number};
    }
};

/// A file descriptor of its own.
class Descriptor {
public:
    Descriptor(int number, char const* what)
        : number_{number} {
        if (number < 0) throw failure(what);
    }
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() { close(number_); }

    [[nodiscard]] int get() const { return number_; }

private:
    int number_;
};

/// Carries packets from the device back to it. One thread, no busy waiting.
class Wire {
public:
    Wire(std::string const& device, std::uint64_t seed)
        : tun_{open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun"}
        , lines_{seed} {
        ifreq request{};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        device.copy(request.ifr_name, IFNAMSIZ - 1);
        if (ioctl(tun_.get(), TUNSETIFF, &request) < 0) throw failure("TUNSETIFF");
    }

    /// Until standard input ends.
    void run() {
        std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {tun_.get(), POLLIN, 0}}};
        while (true) {
            auto const time = until_next();
            if (ppoll(waiting.data(), waiting.size(), time ? &*time : nullptr, nullptr) < 0 &&
                errno != EINTR)
                throw failure("ppoll");
            if (waiting[0].revents != 0 && !read_commands()) return;
            if (waiting[1].revents != 0) read_packets();
            forward_due();
            std::this_thread::sleep_for(pause);
        }
    }

    [[nodiscard]] Counts const& counts() const { return counts_; }

private:
    bool read_commands() {
        std::array<char, 4096> bytes{};
        auto const size = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (size <= 0) return false;
        commands_.append(bytes.data(), static_cast<std::size_t>(size));
        for (auto end = commands_.find('\n'); end != std::string::npos;
             end = commands_.find('\n')) {
            obey(commands_.substr(0, end));
            commands_.erase(0, end + 1);
        }
        return true;
    }

    void obey(std::string const& command) {
        std::istringstream words{command};
        std::string verb;
        std::string host;
        words >> verb >> host;
        in_addr address{};
        bool is_good = inet_pton(AF_INET, host.c_str(), &address) == 1;
        if (verb == "line") {
            double delay = 0;
            double jitter = 0;
            std::string order;
            Line line;
            words >> delay >> jitter >> line.loss >> order;
            line.delay = Milliseconds{delay};
            line.jitter = Milliseconds{jitter};
            line.overtakes = order == "any";
            is_good = is_good && words && (order == "any" || order == "fifo");
            if (is_good) lines_.set(address.s_addr, line);
        } else if (verb == "cut" || verb == "restore") {
            if (is_good) lines_.cut(address.s_addr, verb == "cut");
        } else {
            is_good = false;
        }
        if (!is_good) throw std::invalid_argument{"cannot read: " + command};
    }

    void read_packets() {
        std::array<char, largest_packet> bytes; // NOLINT: filled by read
        for (int count = 0; count < batch; ++count) {
            auto const size = read(tun_.get(), bytes.data(), bytes.size());
            if (size < 0 && errno != EAGAIN) throw failure("read");
            if (size <= 0) return;
            take({bytes.begin(), bytes.begin() + size});
        }
    }

    void take(std::vector<char> packet) {
        constexpr std::size_t source = 12;
        constexpr std::size_t destination = 16;
        if (packet.size() < 20 || (packet[0] & 0xf0) != 0x40) return; // IPv4 alone
        Address from = 0;
        Address to = 0;
        std::memcpy(&from, &packet[source], sizeof from);
        std::memcpy(&to, &packet[destination], sizeof to);
        auto const due = lines_.arrival(Clock::now(), from, to, counts_);
        if (!due) return;
        if (held_.size() == most_held) {
            ++counts_.overflow;
            return;
        }
        held_.push({*due, ++number_, std::move(packet)});
    }

    void forward_due() {
        auto const now = Clock::now();
        while (!held_.empty() && held_.top().due <= now) {
            auto const& packet = held_.top().packet;
            if (write(tun_.get(), packet.data(), packet.size()) < 0) {
                ++counts_.overflow;
            } else {
                ++counts_.forwarded;
                counts_.latest = std::max<Milliseconds>(counts_.latest, now - held_.top().due);
            }
            held_.pop();
        }
    }

    /// How long nothing is due; none: nothing is held.
    [[nodiscard]] std::optional<timespec> until_next() const {
        if (held_.empty()) return {};
        auto const time = std::max(Clock::duration{}, held_.top().due - Clock::now());
        auto const whole = std::chrono::floor<std::chrono::seconds>(time);
        return timespec{whole.count(), std::chrono::nanoseconds{time - whole}.count()};
    }

    Descriptor tun_;
    Lines lines_;
    std::string commands_;
    std::priority_queue<Held> held_;
    std::uint64_t number_ = 0;
    Counts counts_;
};

void carry(std::string const& device, std::uint64_t seed) {
    Wire wire{device, seed};
    std::cout << "ready" << std::endl; // the device is there now
    wire.run();
    auto const& counts = wire.counts();
    std::cout << R"({"forwarded": )" << counts.forwarded << R"(, "lost": )" << counts.lost
              << R"(, "cut": )" << counts.cut << R"(, "unknown": )" << counts.unknown
              << R"(, "overflow": )" << counts.overflow << R"(, "latest_ms": )"
              << counts.latest.count() << "}\n";
}

} // namespace
} // namespace minuteswarm::lab

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: lab_wire DEVICE SEED\n";
        return 2;
    }
    try {
        minuteswarm::lab::carry(argv[1], std::strtoull(argv[2], nullptr, 10));
    } catch (std::exception const& error) {
        std::cerr << "lab_wire: " << error.what() << '\n';
        return 1;
    }
}
