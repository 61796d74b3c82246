#include "folder_viewer.hpp"

#include "base/text.hpp"

namespace minuteswarm {
namespace {

EventFolder open_folder(std::filesystem::path const& path) {
    auto folder = EventFolder::open(path);
    if (!folder) throw StartError{folder.error().message};
    return *std::move(folder);
}

std::shared_ptr<RecordFile> open_records(EventFolder const& folder) {
    auto records = RecordFile::open(folder, RecordFile::Access::read);
    if (!records) throw StartError{records.error().message};
    return std::make_shared<RecordFile>(*std::move(records));
}

} // namespace

FolderViewer::FolderViewer(
    EventLoop& loop, std::filesystem::path const& folder, Playback::Options options, Events events
)
    : loop_(loop)
    , events_(std::move(events))
    , folder_(open_folder(folder))
    , records_(open_records(folder_))
    , verification_(std::make_shared<Verification>(folder_, *records_))
    , disk_(loop)
    , store_(loop, disk_, {})
    , timer_(loop)
    , has_output_(options.output.has_value()) {
    Playback::Events playback;
    playback.status = [this] { return status(); };
    playback.on_advanced = [this] { check_done(); };
    playback.on_output = [this](std::error_code error) {
        finish(
            error == std::errc::broken_pipe ? std::nullopt
                                            : std::optional{Error{"-o: " + error.message()}}
        );
    };
    playback_ = std::make_unique<Playback>(loop_, store_, std::move(options), std::move(playback));
}

void FolderViewer::start() {
    if (!playback_->url().empty()) events_.on_http(playback_->url());
    playback_->begin_event(folder_.channel(), folder_.event());
    playback_->play_as_recording();
    if (auto const* known = records_->descriptor()) {
        playback_->describe(known->value.title, known->value.container);
    }
    events_.on_state("starting");
    check_next();
}

void FolderViewer::check_next() {
    disk_.run(
        0,
        [verification = verification_] { return verification->step(); },
        [this](std::optional<Verification::Checked> checked) {
            if (is_finished_) return;
            if (checked) {
                on_checked(*checked);
                return check_next();
            }
            is_checked_ = true;
            if (!last_) return finish(Error{"the archive holds no usable chunk"});
            playback_->end(*last_);
            playback_->advance();
            check_done();
        }
    );
}

void FolderViewer::on_checked(Verification::Checked const& checked) {
    auto const& record = checked.record;
    if (checked.check.state != ChunkCheck::State::complete) {
        events_.on_warning(concat("left out chunk ", record.number.value, ": damaged or missing"));
        return;
    }
    ChunkKey const key{folder_.channel(), record.event, record.rendition, record.number};
    store_.add(key, folder_.chunk(record), record.size);
    store_.mark_verified(key, 0, record.size);
    playback_->add(record);
    playback_->refresh(record.number);
    if (!last_) {
        playback_->start_at({record.number});
        events_.on_state("live");
    }
    last_ = record.number;
    playback_->advance();
}

/// With -o: done when all is written. With players: when the last of them has gone.
void FolderViewer::check_done() {
    if (is_finished_ || !is_checked_) return;
    had_client_ = had_client_ || !playback_->clients().empty();
    auto const is_unused = has_output_ || (had_client_ && playback_->clients().empty());
    if (playback_->is_done() && is_unused) {
        events_.on_state("ended");
        return finish(std::nullopt);
    }
    timer_.start_after(std::chrono::seconds{1}, [this] { check_done(); });
}

void FolderViewer::finish(std::optional<Error> error) {
    if (is_finished_) return;
    is_finished_ = true;
    timer_.cancel();
    playback_->stop();
    events_.on_stopped(std::move(error));
}

Status FolderViewer::status() const {
    Status status;
    playback_->fill(status);
    status.role = "watch";
    status.channel = folder_.channel().hex();
    if (last_) status.newest_chunk = *last_;
    status.disk.used = store_.disk_used();
    status.memory_chunks = store_.memory_used();
    return status;
}

} // namespace minuteswarm
