#include "host/runtime/checkpoint/run_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

namespace vissl::host {

namespace fs = std::filesystem;

RunFolder::RunFolder(const Setting& config, Logger& log)
    : path_(config.string("dir")),
      log_(log),
      auto_resume_(config.boolean("auto_resume")),
      overwrite_(config.boolean("overwrite_existing")),
      keep_(static_cast<int>(config.integer("keep"))),
      resume_file_num_(static_cast<int>(config.integer("resume_file_num"))) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw_write_error(path_, error.value());
  lock_ = std::make_unique<FolderLock>(path_);
  if (!lock_->warning().empty()) log_.log(LogLevel::warning, lock_->warning());
  remove_stale_partials(*lock_);
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

std::string RunFolder::save(const CheckpointName& name, const Node& state) {
  save_checkpoint(path_, name, state);
  if (keep_ > 0) remove_old_checkpoints(path_, keep_);
  return (path_ / name.text()).string();
}

}  // namespace vissl::host
