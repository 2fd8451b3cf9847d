#pragma once
// The checkpoints in a run's folder: their names, how one is saved, which one a resume takes.
//
// A checkpoint is a main file, written last, and possibly rank files, which the main file names
// with size and SHA-256 under "rank_files". It is complete when all of them are there as named.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/node.hpp"

namespace vissl::host {

enum class CheckpointKind { iteration, phase, final_phase };

// "model_iteration{N}.torch", "model_phase{N}.torch", "model_final_checkpoint_phase{N}.torch".
struct CheckpointName {
  CheckpointKind kind = CheckpointKind::phase;
  std::int64_t number = 0;

  std::string text() const;
  // "model_phase3_rank1.torch"
  std::string rank_text(int rank) const;
  // Only whole names of main files; nothing else.
  static std::optional<CheckpointName> parse(std::string_view file_name);
};

struct RankFile {
  std::string name;  // inside the run's folder
  std::uint64_t size_bytes = 0;
  std::string sha256;
};
// The entry "rank_files" of a main file and back. Reading takes a tree without the entry as one
// without rank files, and throws Error(Exit::bad_data) for a broken one.
Node rank_files_node(std::span<const RankFile> files);
std::vector<RankFile> rank_files_of(const Node& tree);

// Writes one rank's part under its name; what the main file must know of it.
RankFile save_rank_file(const std::filesystem::path& folder, const CheckpointName& name, int rank,
                        const Node& tree);
// Writes the main file, then points the link checkpoint.torch at it. `tree` has "iteration" and
// "train_phase_idx" at its root, and "rank_files" if there are any, which are already written.
void save_checkpoint(const std::filesystem::path& folder, const CheckpointName& name,
                     const Node& tree);

struct Checkpoint {
  std::filesystem::path path;
  CheckpointName name;
  std::int64_t iteration = 0;        // completed train steps
  std::int64_t train_phase_idx = 0;  // of the phase that was running or had just ended
  Node tree;                         // tensors mapped from the file
};

struct CheckpointChoice {
  std::optional<Checkpoint> found;
  std::vector<std::string> warnings;  // one sentence per newer file that could not be taken
};

// The nth newest (1 is the newest) complete checkpoint of the folder. Newest is the largest
// (iteration, train phase); of two with equal numbers a phase's end is newer than an iteration, and
// a final one newest. Everything in the chosen files is read once and compared with its checksums;
// what fails is warned of, left alone, and the next older one is tried. Finals are passed over
// unless `take_final`.
CheckpointChoice find_checkpoint(const std::filesystem::path& folder, int nth = 1,
                                 bool take_final = true);

// The final checkpoint with the largest number, if the folder has one.
std::optional<std::filesystem::path> find_final_checkpoint(const std::filesystem::path& folder);

// Keeps the `keep` newest checkpoints inside a phase, and every one of a phase's end; removes older
// main files and then their rank files. A file that cannot be read is left alone and does not
// count. Returns what was removed. Only the holder of the folder's lock calls it.
std::vector<std::filesystem::path> remove_old_checkpoints(const std::filesystem::path& folder,
                                                          int keep);

// Removes every checkpoint of the folder, for a run that starts anew in it. Only the holder of the
// folder's lock calls it.
void remove_all_checkpoints(const std::filesystem::path& folder);

// Renames the checkpoints that are newer than `chosen` to "NAME.set_aside", so that a run that goes
// on from an older one is not taken over by them later. Returns the new paths.
std::vector<std::filesystem::path> set_aside_newer(const std::filesystem::path& folder,
                                                   const CheckpointName& chosen);

}  // namespace vissl::host
