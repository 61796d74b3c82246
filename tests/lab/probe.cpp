// Says when each frame of a stream came.
//
//   lab_probe - LINES                  passes standard input on to standard output
//   lab_probe http://HOST:PORT/PATH LINES [COPY]
//                                      plays a stream, or an HLS playlist (.m3u8) as players do:
//                                      from three segments before its end, each as it appears
//
// LINES gets `first TIME` at the first byte, then `frame TIME MEDIA_TIME HASH END` for each frame
// (frames.hpp); COPY gets the bytes. TIME is seconds of the monotonic clock. A server that does not
// answer yet is asked again; the end of the stream ends the program.
#include "frames.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace minuteswarm::lab {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr std::size_t read_size = 65536;
constexpr std::size_t segments_before_end = 3; // RFC 8216 6.3.3

/// Writes down what comes, and keeps a copy if asked to.
class Notes {
public:
    Notes(std::string const& lines, std::string const& copy)
        : lines_{lines} {
        lines_ << std::fixed << std::setprecision(6);
        if (!copy.empty()) copy_.open(copy, std::ios::binary);
        if (!lines_ || !copy_) throw std::runtime_error{"cannot write " + lines};
    }

    void add(Bytes bytes) {
        auto const now = Clock::now();
        if (bytes.empty()) return;
        if (!has_begun_) lines_ << "first " << seconds(now) << '\n';
        has_begun_ = true;
        frames_.add(bytes, now);
        lines_.flush();
        if (!copy_.is_open()) return;
        copy_.write(reinterpret_cast<char const*>(bytes.data()), std::streamsize(bytes.size()));
        copy_.flush(); // players are killed
    }

private:
    static double seconds(Clock::time_point time) {
        return std::chrono::duration<double>{time.time_since_epoch()}.count();
    }
    void write(Frame const& frame) {
        lines_ << "frame " << seconds(frame.complete) << ' ' << frame.media_time << ' ' << std::hex
               << frame.hash << std::dec << ' ' << frame.end << '\n';
    }

    std::ofstream lines_;
    std::ofstream copy_;
    bool has_begun_ = false;
    Frames frames_{[this](Frame const& frame) { write(frame); }};
};

struct Url {
    std::string host;
    std::string port = "80";
    std::string path = "/";

    explicit Url(std::string const& text) {
        auto const begin = text.find("://") + 3;
        auto const slash = text.find('/', begin);
        if (begin < 3 || slash == std::string::npos) throw std::invalid_argument{"no URL: " + text};
        host = text.substr(begin, slash - begin);
        path = text.substr(slash);
        if (auto const colon = host.find(':'); colon != std::string::npos) {
            port = host.substr(colon + 1);
            host.resize(colon);
        }
    }
    [[nodiscard]] bool is_playlist() const { return path.ends_with(".m3u8"); }
    [[nodiscard]] std::string beside(std::string const& name) const {
        return path.substr(0, path.rfind('/') + 1) + name;
    }
};

/// One server, one connection that is kept as long as it lasts.
class Server {
public:
    explicit Server(Url const& url)
        : url_{url} {}

    /// Whether all came; the body goes to `take` as it comes.
    template <class Take>
    bool get(std::string const& path, Take take) {
        try {
            return ask(path, take);
        } catch (boost::system::system_error const&) {
            stream_.close();
            return false;
        }
    }

private:
    template <class Take>
    bool ask(std::string const& path, Take& take) {
        if (!stream_.socket().is_open()) {
            tcp::resolver resolver{loop_};
            stream_.connect(resolver.resolve(url_.host, url_.port));
            stream_.socket().set_option(tcp::no_delay{true});
            buffer_.clear();
        }
        http::request<http::empty_body> request{http::verb::get, path, 11};
        request.set(http::field::host, url_.host + ":" + url_.port);
        http::write(stream_, request);
        http::response_parser<http::buffer_body> answer;
        answer.body_limit(std::numeric_limits<std::uint64_t>::max());
        http::read_header(stream_, buffer_, answer);
        std::array<std::uint8_t, read_size> bytes{};
        while (!answer.is_done()) {
            auto& body = answer.get().body();
            body.data = bytes.data();
            body.size = bytes.size();
            beast::error_code error;
            http::read_some(stream_, buffer_, answer, error);
            if (error == http::error::need_buffer) error = {};
            if (answer.get().result() == http::status::ok)
                take(Bytes{bytes}.first(bytes.size() - body.size));
            if (error) throw boost::system::system_error{error};
        }
        if (!answer.get().keep_alive()) stream_.close();
        return answer.get().result() == http::status::ok;
    }

    Url const& url_;
    asio::io_context loop_;
    beast::tcp_stream stream_{loop_};
    beast::flat_buffer buffer_;
};

void pass_on(Notes& notes) {
    std::array<std::uint8_t, read_size> bytes{};
    while (true) {
        auto const size = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (size <= 0) return;
        auto rest = Bytes{bytes}.first(static_cast<std::size_t>(size));
        notes.add(rest);
        while (!rest.empty()) {
            auto const written = write(STDOUT_FILENO, rest.data(), rest.size());
            if (written <= 0) return;
            rest = rest.subspan(static_cast<std::size_t>(written));
        }
    }
}

void play_stream(Url const& url, Notes& notes) {
    Server server{url};
    bool has_begun = false;
    while (true) {
        server.get(url.path, [&](Bytes bytes) {
            has_begun = has_begun || !bytes.empty();
            notes.add(bytes);
        });
        if (has_begun) return;
        std::this_thread::sleep_for(20ms);
    }
}

std::vector<std::string> segments_of(std::string const& playlist) {
    std::vector<std::string> names;
    std::istringstream lines{playlist};
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && line[0] != '#') names.push_back(line);
    return names;
}

void play_list(Url const& url, Notes& notes) {
    Server server{url};
    std::set<std::string> had;
    while (true) {
        std::string playlist;
        auto const is_there =
            server.get(url.path, [&](Bytes bytes) { playlist.append(bytes.begin(), bytes.end()); });
        auto const names = is_there ? segments_of(playlist) : std::vector<std::string>{};
        if (had.empty() && names.size() > segments_before_end)
            had.insert(names.begin(), names.end() - segments_before_end);
        bool has_news = false;
        for (auto const& name : names) {
            if (!had.insert(name).second) continue;
            has_news = true;
            server.get(url.beside(name), [&](Bytes bytes) { notes.add(bytes); });
        }
        if (!has_news) std::this_thread::sleep_for(is_there ? 250ms : 50ms);
    }
}

} // namespace
} // namespace minuteswarm::lab

int main(int argc, char** argv) {
    using namespace minuteswarm::lab;
    std::signal(SIGPIPE, SIG_IGN);
    if (argc != 3 && argc != 4) {
        std::cerr << "usage: lab_probe -|URL LINES [COPY]\n";
        return 2;
    }
    try {
        Notes notes{argv[2], argc == 4 ? argv[3] : ""};
        if (std::string{argv[1]} == "-") {
            pass_on(notes);
            return 0;
        }
        Url const url{argv[1]};
        url.is_playlist() ? play_list(url, notes) : play_stream(url, notes);
    } catch (std::exception const& error) {
        std::cerr << "lab_probe: " << error.what() << '\n';
        return 1;
    }
}
