#include "host/runtime/checkpoint/run_folder.hpp"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/files/torch_zip_reader.hpp"
#include "host/runtime/dist/broadcast.hpp"

namespace vissl::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kHashSize = 64;

// Size and SHA-256 of every rank's file, in rank order from 1 on.
std::vector<RankFile> gathered(const CheckpointName& name, const RankFile& own) {
  std::array<char, sizeof(own.size_bytes) + kHashSize> row{};
  std::memcpy(row.data(), &own.size_bytes, sizeof own.size_bytes);
  std::memcpy(row.data() + sizeof own.size_bytes, own.sha256.data(), own.sha256.size());
  const at::Tensor rows = collectives().all_gather(
      at::from_blob(row.data(), {1, static_cast<std::int64_t>(row.size())}, at::kByte), false);
  std::vector<RankFile> files;
  for (std::int64_t rank = 1; rank < collectives().world(); ++rank) {
    const char* data = static_cast<const char*>(rows[rank].data_ptr());
    RankFile file;
    file.name = name.rank_text(static_cast<int>(rank));
    std::memcpy(&file.size_bytes, data, sizeof file.size_bytes);
    file.sha256.assign(data + sizeof file.size_bytes, kHashSize);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

RunFolder::RunFolder(const Setting& config, Logger& log)
    : path_(config.string("dir")),
      log_(log),
      auto_resume_(config.boolean("auto_resume")),
      overwrite_(config.boolean("overwrite_existing")),
      keep_(static_cast<int>(config.integer("keep"))),
      resume_file_num_(static_cast<int>(config.integer("resume_file_num"))) {
  if (collectives().rank() != 0) return;
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw_write_error(path_, error.value());
  lock_ = std::make_unique<FolderLock>(path_);
  if (!lock_->warning().empty()) log_.log(LogLevel::warning, lock_->warning());
  remove_stale_partials(*lock_);
}

void RunFolder::check_writable(const Setting& config) {
  const fs::path folder = fs::absolute(fs::path(config.string("dir"))).lexically_normal();
  // The folder, or the nearest one above it that is there.
  fs::path there = folder;
  std::error_code error;
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, error)) throw_write_error(folder, ENOTDIR);
  if (::faccessat(AT_FDCWD, there.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    throw_write_error(folder, errno);
}

bool RunFolder::finished() const {
  return !overwrite_ && ended();
}

bool RunFolder::ended() const {
  if (!find_final_checkpoint(path_)) return false;
  std::ifstream file(path_ / "summary.json");
  const auto summary = nlohmann::json::parse(file, nullptr, false);
  return summary.is_object() && summary.value("finished", false);
}

bool RunFolder::goes_on(const Services& services) const {
  std::ifstream file(path_ / "config.toml");
  const std::string stored{std::istreambuf_iterator<char>(file), {}};
  if (!file) return false;
  const std::vector<ConfigChange> changes = services.config_changes(stored);
  if (changes.empty()) return false;
  const ConfigChange& first = changes.front();
  if (changes.size() == 1 && first.path == "optimizer.num_epochs" &&
      std::stoll(first.now) > std::stoll(first.before))
    return true;
  throw Error(Exit::usage, path_.string() + " holds a finished run of another config (" +
                               to_text(changes) +
                               "); set checkpoint.dir to another folder, or "
                               "checkpoint.overwrite_existing=true to train anew");
}

std::string to_text(const std::vector<ConfigChange>& changes) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(changes.size(), kShown); ++i) {
    const ConfigChange& change = changes[i];
    text += (i > 0 ? ", " : "") + change.path;
    text += change.before.empty() ? " was not set" : " was " + change.before;
    text += change.now.empty() ? ", is not set" : ", is " + change.now;
  }
  if (changes.size() > kShown) text += " and " + std::to_string(changes.size() - kShown) + " more";
  return text;
}

std::optional<Checkpoint> RunFolder::newest() {
  if (overwrite_ && (ended() || !auto_resume_)) return std::nullopt;
  CheckpointChoice choice = find_checkpoint(path_, resume_file_num_);
  if (!choice.found && choice.warnings.empty()) return std::nullopt;
  if (!auto_resume_) {
    throw Error(Exit::usage,
                path_.string() +
                    " holds checkpoints of an earlier run and checkpoint.auto_resume is off; "
                    "choose another "
                    "checkpoint.dir, or set checkpoint.overwrite_existing=true to train anew");
  }
  for (const std::string& warning : choice.warnings) log_.log(LogLevel::warning, warning);
  if (!choice.found) {
    throw Error(Exit::bad_data,
                path_.string() +
                    ": none of its checkpoints can be read; move them away to train anew, or set "
                    "checkpoint.overwrite_existing=true and checkpoint.auto_resume=false");
  }
  if (resume_file_num_ > 1) {
    for (const fs::path& path : set_aside_newer(path_, choice.found->name)) {
      log_.log(LogLevel::warning,
               "checkpoint.resume_file_num: a newer checkpoint is now " + path.string());
    }
  }
  return std::move(choice.found);
}

void RunFolder::start_anew() {
  remove_all_checkpoints(path_);
  fs::remove(path_ / "summary.json");
}

void RunFolder::reopen() {
  fs::remove(path_ / "summary.json");
}

void RunFolder::write_provenance(const std::string& config_toml,
                                 const std::string& environment_json) {
  write_text_atomic(path_ / "config.toml", config_toml);
  write_text_atomic(path_ / "env.json", environment_json);
}

RunStart RunFolder::start(const Services& services) {
  RunStart start;
  std::string choice;
  if (collectives().rank() == 0) {
    start.finished = finished() && !goes_on(services);
    if (!start.finished) start.found = newest();
    if (start.found) choice = start.found->name.text();
    if (start.finished) choice = "finished";
  }
  if (collectives().world() == 1) return start;
  choice = broadcast_text(collectives(), choice, 0);
  start.finished = choice == "finished";
  const std::optional<CheckpointName> name = CheckpointName::parse(choice);
  if (collectives().rank() == 0 || !name) return start;
  start.found = Checkpoint{path_ / choice, *name, 0, 0, read_torch_zip(path_ / choice)};
  const std::string file = name->rank_text(static_cast<int>(collectives().rank()));
  for (const RankFile& known : rank_files_of(start.found->tree))
    if (known.name == file) start.own = read_torch_zip(path_ / file);
  return start;
}

std::string RunFolder::save(const CheckpointName& name, Node state, const Node& own) {
  if (collectives().world() > 1) {
    const auto rank = static_cast<int>(collectives().rank());
    const std::vector<RankFile> files =
        gathered(name, rank == 0 ? RankFile() : save_rank_file(path_, name, rank, own));
    state["rank_files"] = rank_files_node(files);
  }
  if (collectives().rank() == 0) {
    save_checkpoint(path_, name, state);
    if (keep_ > 0) remove_old_checkpoints(path_, keep_);
  }
  collectives().barrier();
  return (path_ / name.text()).string();
}

}  // namespace vissl::host
