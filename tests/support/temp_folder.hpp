#pragma once

#include "base/signature.hpp"
#include "base/text.hpp"

#include <filesystem>
#include <system_error>

namespace minuteswarm::test {

/// A folder of its own for one test, gone with it.
class TempFolder {
public:
    TempFolder()
        : path_(
              std::filesystem::temp_directory_path() / concat("minuteswarm-test-", random_u64())
          ) {
        std::filesystem::create_directories(path_);
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(TempFolder const&) = delete;
    TempFolder& operator=(TempFolder const&) = delete;

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::filesystem::path const& name) const {
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

} // namespace minuteswarm::test
