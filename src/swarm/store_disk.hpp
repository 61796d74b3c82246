#pragma once

#include "base/ids.hpp"
#include "store/store.hpp"

#include <libtorrent/disk_buffer_holder.hpp>
#include <libtorrent/disk_interface.hpp>
#include <libtorrent/io_context.hpp>

#include <map>
#include <memory>
#include <vector>

namespace minuteswarm {

/// The store as the session's disk: every torrent's bytes are chunk bytes, which the store has
/// once. Loop-only. Every completion is posted, never run inside the call: libtorrent 2.0.8 depends
/// on it.
class StoreDisk final : public lt::disk_interface, private lt::buffer_allocator_interface {
public:
    /// Which chunks a torrent's files are, in order; looked up when libtorrent opens its storage.
    using Layouts = std::map<InfoHash, std::vector<ChunkKey>>;

    StoreDisk(lt::io_context& io, Store& store, Layouts const& layouts)
        : io_(io)
        , store_(store)
        , layouts_(layouts) {}

    lt::storage_holder
    new_torrent(lt::storage_params const& params, std::shared_ptr<void> const& torrent) override;
    void remove_torrent(lt::storage_index_t storage) override;

    void async_read(
        lt::storage_index_t storage,
        lt::peer_request const& request,
        std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler,
        lt::disk_job_flags_t flags
    ) override;
    bool async_write(
        lt::storage_index_t storage,
        lt::peer_request const& request,
        char const* buffer,
        std::shared_ptr<lt::disk_observer> observer,
        std::function<void(lt::storage_error const&)> handler,
        lt::disk_job_flags_t flags
    ) override;
    void async_hash(
        lt::storage_index_t storage,
        lt::piece_index_t piece,
        lt::span<lt::sha256_hash> v2,
        lt::disk_job_flags_t flags,
        std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)>
            handler
    ) override;
    void async_hash2(
        lt::storage_index_t storage,
        lt::piece_index_t piece,
        int offset,
        lt::disk_job_flags_t flags,
        std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)>
            handler
    ) override;
    void async_move_storage(
        lt::storage_index_t storage,
        std::string path,
        lt::move_flags_t flags,
        std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> handler
    ) override;
    void async_release_files(lt::storage_index_t storage, std::function<void()> handler) override;
    void async_check_files(
        lt::storage_index_t storage,
        lt::add_torrent_params const* resume_data,
        lt::aux::vector<std::string, lt::file_index_t> links,
        std::function<void(lt::status_t, lt::storage_error const&)> handler
    ) override;
    void async_stop_torrent(lt::storage_index_t storage, std::function<void()> handler) override;
    void async_rename_file(
        lt::storage_index_t storage,
        lt::file_index_t index,
        std::string name,
        std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> handler
    ) override;
    void async_delete_files(
        lt::storage_index_t storage,
        lt::remove_flags_t options,
        std::function<void(lt::storage_error const&)> handler
    ) override;
    void async_set_file_priority(
        lt::storage_index_t storage,
        lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
        std::function<
            void(lt::storage_error const&, lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
            handler
    ) override;
    void async_clear_piece(
        lt::storage_index_t storage,
        lt::piece_index_t piece,
        std::function<void(lt::piece_index_t)> handler
    ) override;
    void update_stats_counters(lt::counters&) const override {}
    std::vector<lt::open_file_state> get_status(lt::storage_index_t) const override { return {}; }
    void abort(bool) override {}
    void submit_jobs() override {}
    void settings_updated() override {}

private:
    struct Storage {
        lt::file_storage const* files = nullptr;
        std::vector<ChunkKey> chunks;
    };
    /// A stretch of one chunk.
    struct Slice {
        ChunkKey key;
        std::uint64_t offset = 0;
        std::size_t length = 0;
    };

    [[nodiscard]] std::vector<Slice>
    slices(lt::storage_index_t storage, lt::piece_index_t piece, int start, int length) const;
    void read_slices(
        std::vector<Slice> slices, std::function<void(lt::storage_error const&, SharedBytes)> done
    );
    void free_disk_buffer(char* buffer) override { delete[] buffer; }

    lt::io_context& io_;
    Store& store_;
    Layouts const& layouts_;
    std::map<lt::storage_index_t, Storage> storages_;
    lt::storage_index_t next_{0};
};

} // namespace minuteswarm
