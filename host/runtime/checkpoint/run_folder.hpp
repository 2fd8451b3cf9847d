#pragma once
// The folder of a run (checkpoint.dir): its lock, its checkpoints, and what tells whether the run
// is finished. [main]
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/files/atomic_file.hpp"
#include "host/files/checkpoint_set.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// "optimizer.name was "sgd", is "adam" and 2 more", for messages.
std::string to_text(const std::vector<ConfigChange>& changes);

// How a run begins.
struct RunStart {
  bool finished = false;            // an earlier run here came to its end
  std::optional<Checkpoint> found;  // to resume from
  Node own;                         // what the checkpoint holds of this rank alone; none on rank 0
};

class RunFolder {
 public:
  // Rank 0 makes the folder and takes its lock. `config` is the table [checkpoint]. Throws
  // Error(run_failed) for a folder that cannot be written or that another run uses.
  RunFolder(const Setting& config, Logger& log);

  // What the constructor would find, without making anything: throws Error(run_failed) for a folder
  // that could not be made or written.
  static void check_writable(const Setting& config);

  // All ranks together: rank 0 looks, the others read what it found.
  RunStart start(const Services& services);

  const std::filesystem::path& path() const { return path_; }

  // Rank 0 alone.
  // Removes the checkpoints and the summary of an earlier run; called once the new run is known to
  // work, before its first save.
  void start_anew();

  // Takes back that the run is finished, for one that goes on.
  void reopen();

  // Writes config.toml and env.json, whose texts these are.
  void write_provenance(const std::string& config_toml, const std::string& environment_json);
  // All ranks together: each of the others writes `own` into its rank file, then rank 0 writes
  // `state` as the main file that names them; returns when it is there. Atomic: a crash at any byte
  // leaves the former checkpoints as they were. Re-points checkpoint.torch, applies
  // checkpoint.keep and returns the main file's name.
  std::string save(const CheckpointName& name, Node state, const Node& own);

 private:
  // True when an earlier run here came to its end.
  bool ended() const;
  // The same, and checkpoint.overwrite_existing is off.
  bool finished() const;
  // Of a finished run: false when the config is the one that it ended with. True when nothing but
  // more epochs is asked for: the run goes on from its last checkpoint. Throws Error(usage) that
  // names what else differs.
  bool goes_on(const Services& services) const;
  // The newest complete checkpoint, or nothing: auto_resume off, overwrite_existing on, or an empty
  // folder. A damaged newer one is warned of. Throws Error(bad_data) when there are checkpoints and
  // all are damaged: training anew would overwrite them.
  std::optional<Checkpoint> newest();

  std::filesystem::path path_;
  Logger& log_;
  std::unique_ptr<FolderLock> lock_;
  bool auto_resume_, overwrite_;
  int keep_, resume_file_num_;
};

}  // namespace vissl::host
