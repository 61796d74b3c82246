// Serves the files 1.EXT, 2.EXT, … of a folder as a live broadcast, without any network of peers:
// for work on the page and for trying players.
//   http_demo PORT FOLDER EXT SECONDS-PER-FILE [FILES-AT-START]
#include "support/fake_http_source.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace minuteswarm;

namespace {

class Demo {
public:
    Demo(
        std::filesystem::path folder, std::string extension, std::uint16_t port, MediaTime duration
    )
        : folder_(std::move(folder))
        , extension_(std::move(extension))
        , duration_(duration)
        , server_(loop_, source_, {"127.0.0.1", port, false, std::chrono::seconds{30}}) {
        for (auto const container :
             {Container::mpeg_ts, Container::mp3, Container::adts, Container::fmp4})
            if (extension_ == minuteswarm::extension(container)) source_.set_container(container);
        source_.set_duration(duration);
        source_.set_title("An evening in the garden");
    }

    void run(int files_at_start) {
        show("starting");
        std::cout << server_.url() << std::endl;
        while (files_at_start-- > 0)
            add_next();
        wait();
        loop_.run();
    }

private:
    void wait() {
        timer_.expires_after(duration_);
        timer_.async_wait([this](boost::system::error_code) {
            if (add_next()) wait();
        });
    }

    bool add_next() {
        auto const path = folder_ / (std::to_string(next_) + "." + extension_);
        std::ifstream file{path, std::ios::binary};
        source_.pass(std::chrono::duration_cast<std::chrono::seconds>(duration_));
        if (file) {
            source_.add(next_++, Bytes{std::istreambuf_iterator<char>{file}, {}});
            show("live");
        } else {
            source_.end(next_ - 1);
            show("ended");
        }
        server_.on_timeline_changed();
        return static_cast<bool>(file);
    }

    void show(std::string const& state) {
        source_.set_status(
            R"({"state":")" + state +
            R"(","title":"An evening in the garden","peers":[{},{},{},{},{},{},{}],)"
            R"("latency":{"now":640,"target":3000},"rates":{"down":4213000,"up":6120000}})"
        );
    }

    EventLoop loop_;
    FakeHttpSource source_{loop_};
    std::filesystem::path folder_;
    std::string extension_;
    MediaTime duration_;
    HttpServer server_;
    boost::asio::steady_timer timer_{loop_.io()};
    std::uint64_t next_ = 1;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::cerr << "usage: http_demo PORT FOLDER EXT SECONDS-PER-FILE [FILES-AT-START]\n";
        return 2;
    }
    auto const port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    Demo demo{argv[2], argv[3], port, std::chrono::seconds{std::atoi(argv[4])}};
    demo.run(argc > 5 ? std::atoi(argv[5]) : 3);
}
