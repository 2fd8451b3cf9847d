#include "host/files/checkpoint_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "host/files/error.hpp"
#include "host/files/write_fault.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

constexpr CheckpointName phase(std::int64_t n) {
  return {CheckpointKind::phase, n};
}
constexpr CheckpointName iteration(std::int64_t n) {
  return {CheckpointKind::iteration, n};
}
constexpr CheckpointName final_phase(std::int64_t n) {
  return {CheckpointKind::final_phase, n};
}

Node tree(std::int64_t iteration, std::int64_t phase) {
  Node node = Node::dict();
  node["iteration"] = iteration;
  node["train_phase_idx"] = phase;
  const std::string weights(64, static_cast<char>('a' + iteration % 26));
  node["weights"] = TensorRef::contiguous(DType::uint8, {64},
                                          Storage::copy_of(std::as_bytes(std::span(weights))));
  return node;
}

std::string found_name(const CheckpointChoice& choice) {
  return choice.found ? choice.found->path.filename().string() : "none";
}

// Changes one byte of the tensor data.
void damage(const std::filesystem::path& path, const std::string& weights) {
  std::string bytes = read_file(path);
  const auto at = bytes.find(weights);
  REQUIRE(at != std::string::npos);
  bytes[at] = '!';
  write_file(path, bytes);
}

}  // namespace

TEST_CASE("checkpoints: names are VISSL's and nothing else is taken for one") {
  CHECK(phase(3).text() == "model_phase3.torch");
  CHECK(iteration(120).text() == "model_iteration120.torch");
  CHECK(final_phase(9).text() == "model_final_checkpoint_phase9.torch");
  CHECK(phase(3).rank_text(1) == "model_phase3_rank1.torch");
  for (const CheckpointName& name : {phase(0), iteration(77), final_phase(5)}) {
    const auto parsed = CheckpointName::parse(name.text());
    REQUIRE(parsed.has_value());
    CHECK(parsed->kind == name.kind);
    CHECK(parsed->number == name.number);
  }
  for (const char* other : {"model_phase3_rank1.torch", "checkpoint.torch", "model_phase.torch",
                            "model_phase-1.torch", "model_phase3.torch.h.1.0.partial",
                            "model_phase99999999999999999999.torch", "model_phase3.pth"}) {
    CAPTURE(other);
    CHECK(!CheckpointName::parse(other).has_value());
  }
}

TEST_CASE("checkpoints: the newest is the largest iteration, then phase, then the end of a phase") {
  TempFolder folder;
  CHECK(found_name(find_checkpoint(folder.path())) == "none");
  save_checkpoint(folder.path(), phase(0), tree(10, 0));
  save_checkpoint(folder.path(), iteration(9), tree(9, 0));
  CHECK(found_name(find_checkpoint(folder.path())) == "model_phase0.torch");
  save_checkpoint(folder.path(), iteration(10), tree(10, 0));
  CHECK(found_name(find_checkpoint(folder.path())) == "model_phase0.torch");
  save_checkpoint(folder.path(), iteration(12), tree(12, 1));
  const CheckpointChoice choice = find_checkpoint(folder.path());
  CHECK(found_name(choice) == "model_iteration12.torch");
  CHECK(choice.warnings.empty());
  CHECK(choice.found->iteration == 12);
  CHECK(choice.found->train_phase_idx == 1);
  CHECK(same_values(choice.found->tree, tree(12, 1)));
  CHECK(found_name(find_checkpoint(folder.path(), 2)) == "model_phase0.torch");
  CHECK(found_name(find_checkpoint(folder.path(), 9)) == "none");
}

TEST_CASE("checkpoints: the link names the checkpoint that was saved last, relatively") {
  TempFolder folder;
  save_checkpoint(folder.path(), phase(0), tree(10, 0));
  save_checkpoint(folder.path(), phase(1), tree(20, 1));
  CHECK(std::filesystem::read_symlink(folder / "checkpoint.torch") == "model_phase1.torch");
}

TEST_CASE("checkpoints: a damaged newest one is told, left alone, and the next older is taken") {
  TempFolder folder;
  save_checkpoint(folder.path(), phase(0), tree(10, 0));
  save_checkpoint(folder.path(), phase(1), tree(20, 1));
  const auto newest = folder / "model_phase1.torch";
  std::string expected;
  SUBCASE("a changed weight") {
    damage(newest, std::string(64, 'u'));
    expected = "has a wrong checksum";
  }
  SUBCASE("cut in half") {
    std::filesystem::resize_file(newest, 300);
    expected =
        "the zip file has no directory at its end (byte 300); the file is damaged or "
        "incomplete, use another copy";
  }
  SUBCASE("empty") {
    std::filesystem::resize_file(newest, 0);
    expected = "is not a zip file";
  }
  SUBCASE("a file of another program") {
    Node other = Node::dict();
    other["state_dict"] = Node::dict();
    save_checkpoint(folder.path(), phase(1), other);
    expected =
        ": the file has no entry 'iteration' where it has 'state_dict'; it was not written "
        "by this program";
  }
  const auto size = std::filesystem::file_size(newest);
  const CheckpointChoice choice = find_checkpoint(folder.path());
  CHECK(found_name(choice) == "model_phase0.torch");
  REQUIRE(choice.warnings.size() == 1);
  CHECK(choice.warnings[0].starts_with(newest.string()));
  CAPTURE(choice.warnings[0]);
  CHECK(choice.warnings[0].find(expected) != std::string::npos);
  CHECK(std::filesystem::file_size(newest) == size);
}

TEST_CASE("checkpoints: a set is complete only with the rank files that its main file names") {
  TempFolder folder;
  save_checkpoint(folder.path(), phase(0), tree(10, 0));
  std::vector<RankFile> rank_files;
  for (int rank = 0; rank < 2; ++rank) {
    rank_files.push_back(save_rank_file(folder.path(), phase(1), rank, tree(rank, 1)));
  }
  CHECK(rank_files[1].size_bytes == std::filesystem::file_size(folder / rank_files[1].name));
  Node main = tree(20, 1);
  main["rank_files"] = rank_files_node(rank_files);
  save_checkpoint(folder.path(), phase(1), main);
  const CheckpointChoice whole = find_checkpoint(folder.path());
  CHECK(found_name(whole) == "model_phase1.torch");
  CHECK(rank_files_of(whole.found->tree)[1].sha256 == rank_files[1].sha256);

  const auto rank_path = folder / "model_phase1_rank1.torch";
  const std::string label =
      (folder / "model_phase1.torch").string() + ": its rank file 'model_phase1_rank1.torch' ";
  std::string expected;
  SUBCASE("changed") {
    damage(rank_path, std::string(64, 'b'));
    expected = label + "has another content than was saved";
  }
  SUBCASE("cut") {
    std::filesystem::resize_file(rank_path, 100);
    expected = label + "has 100 bytes instead of " + std::to_string(rank_files[1].size_bytes);
  }
  SUBCASE("missing") {
    std::filesystem::remove(rank_path);
    expected = label + "is missing";
  }
  const CheckpointChoice choice = find_checkpoint(folder.path());
  CHECK(found_name(choice) == "model_phase0.torch");
  REQUIRE(choice.warnings.size() == 1);
  CHECK(choice.warnings[0] == expected);
}

TEST_CASE("checkpoints: a main file cannot name files outside its folder") {
  Node node = Node::dict();
  node["rank_files"] = rank_files_node(std::vector<RankFile>{{"../etc/passwd", 1, "00"}});
  CHECK_THROWS_WITH_AS(rank_files_of(node),
                       "a checkpoint names the rank file '../etc/passwd', which lies outside its "
                       "folder",
                       Error);
}

TEST_CASE("checkpoints: the final one is found, and passed over when asked") {
  TempFolder folder;
  CHECK(!find_final_checkpoint(folder.path()).has_value());
  save_checkpoint(folder.path(), phase(8), tree(90, 8));
  save_checkpoint(folder.path(), final_phase(9), tree(100, 9));
  save_checkpoint(folder.path(), final_phase(4), tree(50, 4));
  CHECK(find_final_checkpoint(folder.path())->filename() == "model_final_checkpoint_phase9.torch");
  CHECK(found_name(find_checkpoint(folder.path())) == "model_final_checkpoint_phase9.torch");
  CHECK(found_name(find_checkpoint(folder.path(), 1, /*take_final=*/false)) ==
        "model_phase8.torch");
}

TEST_CASE(
    "checkpoints: the keep policy removes the oldest inside a phase with their rank files, never a "
    "phase's end") {
  TempFolder folder;
  save_checkpoint(folder.path(), final_phase(0), tree(1, 0));
  save_checkpoint(folder.path(), phase(0), tree(2, 0));
  for (std::int64_t n = 1; n <= 4; ++n) {
    Node main = tree(10 * n, n);
    const std::vector<RankFile> rank_files = {
        save_rank_file(folder.path(), {CheckpointKind::iteration, n}, 0, main)};
    main["rank_files"] = rank_files_node(rank_files);
    save_checkpoint(folder.path(), {CheckpointKind::iteration, n}, main);
  }
  write_file(folder / "model_phase99.torch", "not a checkpoint");
  const auto removed = remove_old_checkpoints(folder.path(), 2);
  CHECK(removed.size() == 4);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"checkpoint.torch", "model_final_checkpoint_phase0.torch",
                                          "model_iteration3.torch", "model_iteration3_rank0.torch",
                                          "model_iteration4.torch", "model_iteration4_rank0.torch",
                                          "model_phase0.torch", "model_phase99.torch"});
  CHECK(found_name(find_checkpoint(folder.path())) == "model_iteration4.torch");
}

TEST_CASE(
    "checkpoints: starting anew removes all of them, setting aside keeps the newer ones under "
    "another name") {
  TempFolder folder;
  for (std::int64_t n = 1; n <= 3; ++n) save_checkpoint(folder.path(), phase(n), tree(10 * n, n));
  write_file(folder / "model_notes.txt", "mine");
  CHECK(set_aside_newer(folder.path(), phase(2)).size() == 1);
  CHECK(found_name(find_checkpoint(folder.path())) == "model_phase2.torch");
  CHECK(std::filesystem::exists(folder / "model_phase3.torch.set_aside"));
  remove_all_checkpoints(folder.path());
  CHECK_FALSE(find_checkpoint(folder.path()).found.has_value());
  CHECK_FALSE(std::filesystem::is_symlink(folder / "checkpoint.torch"));
  CHECK(std::filesystem::exists(folder / "model_notes.txt"));
}

TEST_CASE("checkpoints: a save that fails leaves the older ones and the link as they were") {
  TempFolder folder;
  save_checkpoint(folder.path(), phase(0), tree(10, 0));
  write_fault = [](WriteStep step, std::uint64_t, std::uint64_t) {
    return WriteFaultVerdict{.allowed_bytes = 100, .error = step == WriteStep::write ? ENOSPC : 0};
  };
  CHECK_THROWS_AS(save_checkpoint(folder.path(), phase(1), tree(20, 1)), Error);
  write_fault = nullptr;
  const CheckpointChoice choice = find_checkpoint(folder.path());
  CHECK(found_name(choice) == "model_phase0.torch");
  CHECK(choice.warnings.empty());
  CHECK(std::filesystem::read_symlink(folder / "checkpoint.torch") == "model_phase0.torch");
}
