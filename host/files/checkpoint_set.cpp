#include "host/files/checkpoint_set.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "host/files/atomic_file.hpp"
#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/sha256.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "host/files/torch_zip_writer.hpp"

namespace vissl::host {
namespace {

constexpr std::string_view kEnding = ".torch";
constexpr const char* kLink = "checkpoint.torch";

struct NameForm {
  CheckpointKind kind;
  std::string_view prefix;
};
constexpr std::array kForms = {
    NameForm{CheckpointKind::iteration, "model_iteration"},
    NameForm{CheckpointKind::phase, "model_phase"},
    NameForm{CheckpointKind::final_phase, "model_final_checkpoint_phase"},
};

std::string stem(const CheckpointName& name) {
  const auto* form = std::ranges::find(kForms, name.kind, &NameForm::kind);
  return std::string(form->prefix) + std::to_string(name.number);
}

std::vector<CheckpointName> names_in(const std::filesystem::path& folder) {
  std::vector<CheckpointName> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto name = CheckpointName::parse(entry.path().filename().string());
    if (name) names.push_back(*name);
  }
  return names;
}

Checkpoint read(const std::filesystem::path& folder, const CheckpointName& name, bool verify) {
  Checkpoint checkpoint;
  checkpoint.name = name;
  checkpoint.path = folder / name.text();
  checkpoint.tree = read_torch_zip(checkpoint.path, {.verify = verify});
  try {
    checkpoint.iteration = checkpoint.tree.at("iteration").as_int();
    checkpoint.train_phase_idx = checkpoint.tree.at("train_phase_idx").as_int();
  } catch (const Error& error) {
    throw Error(Exit::bad_data, checkpoint.path.string() + ": " + error.what());
  }
  return checkpoint;
}

void check_rank_files(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
  for (const RankFile& file : rank_files_of(checkpoint.tree)) {
    const std::filesystem::path path = folder / file.name;
    const std::string label =
        checkpoint.path.string() + ": its rank file " + quoted_name(file.name) + " ";
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error) throw Error(Exit::bad_data, label + "is missing");
    if (size != file.size_bytes) {
      throw Error(Exit::bad_data, label + "has " + std::to_string(size) + " bytes instead of " +
                                      std::to_string(file.size_bytes));
    }
    if (sha256_hex_of_file(path) != file.sha256) {
      throw Error(Exit::bad_data, label + "has another content than was saved");
    }
  }
}

// Newest first, read but not verified; those that cannot be read are left out and told.
std::vector<Checkpoint> by_age(const std::filesystem::path& folder, bool take_final,
                               std::vector<std::string>& warnings) {
  std::vector<Checkpoint> checkpoints;
  for (const CheckpointName& name : names_in(folder)) {
    if (name.kind == CheckpointKind::final_phase && !take_final) continue;
    try {
      checkpoints.push_back(read(folder, name, /*verify=*/false));
    } catch (const Error& error) {
      warnings.push_back(error.what());
    }
  }
  std::ranges::sort(checkpoints, std::ranges::greater{}, [](const Checkpoint& c) {
    return std::tuple(c.iteration, c.train_phase_idx, c.name.kind);
  });
  return checkpoints;
}

}  // namespace

std::string CheckpointName::text() const {
  return stem(*this) + std::string(kEnding);
}

std::string CheckpointName::rank_text(int rank) const {
  return stem(*this) + "_rank" + std::to_string(rank) + std::string(kEnding);
}

std::optional<CheckpointName> CheckpointName::parse(std::string_view file_name) {
  if (!file_name.ends_with(kEnding)) return std::nullopt;
  file_name.remove_suffix(kEnding.size());
  for (const NameForm& form : kForms) {
    if (!file_name.starts_with(form.prefix)) continue;
    const std::string_view digits = file_name.substr(form.prefix.size());
    CheckpointName name{form.kind, 0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
    if (error != std::errc{} || end != digits.data() + digits.size() || name.number < 0) continue;
    return name;
  }
  return std::nullopt;
}

Node rank_files_node(std::span<const RankFile> files) {
  Node list = Node::list();
  for (const RankFile& file : files) {
    Node entry = Node::dict();
    entry["name"] = file.name;
    entry["size_bytes"] = static_cast<std::int64_t>(file.size_bytes);
    entry["sha256"] = file.sha256;
    list.append(std::move(entry));
  }
  return list;
}

std::vector<RankFile> rank_files_of(const Node& tree) {
  std::vector<RankFile> files;
  const Node* list = tree.find("rank_files");
  if (list == nullptr) return files;
  for (const Node& entry : list->as_items()) {
    RankFile file;
    file.name = entry.at("name").as_text();
    if (file.name.empty() || file.name.find('/') != std::string::npos) {
      throw Error(Exit::bad_data, "a checkpoint names the rank file " + quoted_name(file.name) +
                                      ", which lies outside its folder");
    }
    file.size_bytes = static_cast<std::uint64_t>(entry.at("size_bytes").as_int());
    file.sha256 = entry.at("sha256").as_text();
    files.push_back(std::move(file));
  }
  return files;
}

RankFile save_rank_file(const std::filesystem::path& folder, const CheckpointName& name, int rank,
                        const Node& tree) {
  RankFile file;
  file.name = name.rank_text(rank);
  AtomicFile target(folder / file.name);
  HashingSink sink(target);
  write_torch_zip(sink, tree);
  target.commit();
  file.size_bytes = sink.size_bytes();
  file.sha256 = sink.finish_hex();
  return file;
}

void save_checkpoint(const std::filesystem::path& folder, const CheckpointName& name,
                     const Node& tree) {
  AtomicFile target(folder / name.text());
  write_torch_zip(target, tree);
  target.commit();
  symlink_atomic(name.text(), folder / kLink);
}

CheckpointChoice find_checkpoint(const std::filesystem::path& folder, int nth, bool take_final) {
  CheckpointChoice choice;
  int good = 0;
  for (const Checkpoint& candidate : by_age(folder, take_final, choice.warnings)) {
    try {
      // A checkpoint that is only counted is not read in full.
      if (good + 1 < nth) {
        ++good;
        continue;
      }
      Checkpoint checkpoint = read(folder, candidate.name, /*verify=*/true);
      check_rank_files(folder, checkpoint);
      choice.found = std::move(checkpoint);
      return choice;
    } catch (const Error& error) {
      choice.warnings.push_back(error.what());
    }
  }
  return choice;
}

std::optional<std::filesystem::path> find_final_checkpoint(const std::filesystem::path& folder) {
  std::optional<CheckpointName> last;
  for (const CheckpointName& name : names_in(folder)) {
    if (name.kind == CheckpointKind::final_phase && (!last || name.number > last->number)) {
      last = name;
    }
  }
  if (!last) return std::nullopt;
  return folder / last->text();
}

std::vector<std::filesystem::path> remove_old_checkpoints(const std::filesystem::path& folder,
                                                          int keep) {
  std::vector<std::filesystem::path> removed;
  std::vector<std::string> unreadable;
  const std::vector<Checkpoint> checkpoints = by_age(folder, /*take_final=*/false, unreadable);
  const auto remove = [&removed](const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::remove(path, error)) removed.push_back(path);
  };
  int kept = 0;
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    if (checkpoints[i].name.kind != CheckpointKind::iteration || kept++ < std::max(keep, 1))
      continue;
    std::vector<RankFile> rank_files;
    try {
      rank_files = rank_files_of(checkpoints[i].tree);
    } catch (const Error&) {
      continue;  // not a file of ours after all: leave it alone
    }
    // The main file goes first: without it the rank files are no checkpoint that could be chosen.
    remove(checkpoints[i].path);
    for (const RankFile& file : rank_files) remove(folder / file.name);
  }
  return removed;
}

void remove_all_checkpoints(const std::filesystem::path& folder) {
  // The link goes first: it never points at nothing.
  std::filesystem::remove(folder / kLink);
  std::vector<std::filesystem::path> doomed;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const std::size_t rank = name.find("_rank");
    const std::string main = rank == std::string::npos ? name : name.substr(0, rank) + ".torch";
    if (CheckpointName::parse(main)) doomed.push_back(entry.path());
  }
  for (const auto& path : doomed) std::filesystem::remove(path);
  sync_folder(folder);
}

std::vector<std::filesystem::path> set_aside_newer(const std::filesystem::path& folder,
                                                   const CheckpointName& chosen) {
  std::vector<std::filesystem::path> moved;
  std::vector<std::string> unreadable;
  for (const Checkpoint& checkpoint : by_age(folder, /*take_final=*/true, unreadable)) {
    if (checkpoint.name.text() == chosen.text()) break;
    moved.push_back(checkpoint.path.string() + ".set_aside");
    std::filesystem::rename(checkpoint.path, moved.back());
  }
  return moved;
}

}  // namespace vissl::host
