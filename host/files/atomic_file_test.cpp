#include "host/files/atomic_file.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "host/files/error.hpp"
#include "host/files/host_name.hpp"
#include "host/files/write_fault.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

// Sets the hook for one scope.
struct Fault {
  explicit Fault(WriteFault fault) { write_fault = fault; }
  ~Fault() { write_fault = nullptr; }
};

constexpr std::uint64_t kFull = 5'000'000;

WriteFaultVerdict disk_full(WriteStep step, std::uint64_t offset, std::uint64_t size) {
  if (step != WriteStep::write || offset + size <= kFull) return {};
  return {.allowed_bytes = kFull - offset, .error = ENOSPC};
}

std::uint64_t crash_at = 0;
WriteFaultVerdict crash(WriteStep step, std::uint64_t offset, std::uint64_t size) {
  if (step == WriteStep::write && offset + size > crash_at) {
    return {.allowed_bytes = crash_at - offset, .crash = true};
  }
  return {.crash = step == WriteStep::rename && crash_at == UINT64_MAX};
}

std::vector<std::string> names_in(const TempFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

void write_large(const std::filesystem::path& target, char fill) {
  AtomicFile file(target);
  const std::string piece(700'000, fill);
  for (int i = 0; i < 10; ++i) file.write_text(piece);
  file.write_text(std::string(3'000'000, fill));
  CHECK(file.size_bytes() == 10'000'000);
  file.commit();
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == Exit::run_failed);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("atomic file: small and large writes arrive in order, and only after commit") {
  TempFolder folder;
  {
    AtomicFile file(folder / "a");
    file.write_text("one ");
    file.write_text(std::string(2'000'000, 'x'));
    file.write_text(" two");
    CHECK(!std::filesystem::exists(folder / "a"));
    file.commit();
  }
  CHECK(read_file(folder / "a") == "one " + std::string(2'000'000, 'x') + " two");
  CHECK(names_in(folder) == std::vector<std::string>{"a"});
}

TEST_CASE("atomic file: without commit the old file stays and nothing is left behind") {
  TempFolder folder;
  write_file(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write_text(std::string(2'000'000, 'x'));
  }
  CHECK(read_file(folder / "a") == "old");
  CHECK(names_in(folder) == std::vector<std::string>{"a"});
}

TEST_CASE("atomic file: a full disk gives one sentence and leaves the old file whole") {
  TempFolder folder;
  write_file(folder / "a", "old");
  Fault fault(disk_full);
  const std::string text = refusal([&] { write_large(folder / "a", 'x'); });
  CHECK(text == "cannot write " + (folder / "a").string() +
                    ": No space left on device; free space on the disk of " +
                    folder.path().string() +
                    " or set checkpoint.dir to another disk; files saved earlier are unchanged");
  CHECK(read_file(folder / "a") == "old");
  CHECK(names_in(folder) == std::vector<std::string>{"a"});
}

TEST_CASE("atomic file: a failing sync or rename leaves the old file whole") {
  for (const WriteFault fault :
       {+[](WriteStep step, std::uint64_t, std::uint64_t) {
          return WriteFaultVerdict{.error = step == WriteStep::sync ? EIO : 0};
        },
        +[](WriteStep step, std::uint64_t, std::uint64_t) {
          return WriteFaultVerdict{.error = step == WriteStep::rename ? EROFS : 0};
        }}) {
    TempFolder folder;
    write_file(folder / "a", "old");
    Fault set(fault);
    CHECK(refusal([&] { write_text_atomic(folder / "a", "new"); }).starts_with("cannot write "));
    CHECK(read_file(folder / "a") == "old");
    CHECK(names_in(folder) == std::vector<std::string>{"a"});
  }
}

TEST_CASE("atomic file: each cause has its remedy") {
  TempFolder folder;
  CHECK(refusal([&] { AtomicFile(folder / "none/a"); }) ==
        "cannot write " + (folder / "none/a").string() +
            ": No such file or directory; make the folder " + (folder / "none").string() +
            " first; files saved earlier are unchanged");
  CHECK(refusal([] {
          throw_write_error("/run/a", EROFS);
        }).find("; /run is on a read-only file system, set checkpoint.dir to another folder;") !=
        std::string::npos);
  CHECK(refusal([] {
          throw_write_error("/run/a", EACCES);
        }).find("; make /run writable for this user or set checkpoint.dir") != std::string::npos);
}

TEST_CASE("atomic file: a process that dies at any point leaves the old file or the new one") {
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{6'999'999},
                                 std::uint64_t{9'999'999}, UINT64_MAX}) {
    CAPTURE(at);
    TempFolder folder;
    write_file(folder / "a", "old");
    const pid_t child = ::fork();
    if (child == 0) {
      crash_at = at;
      write_fault = crash;
      write_large(folder / "a", 'x');
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 137);
    CHECK(read_file(folder / "a") == "old");
    CHECK(names_in(folder).size() == 2);

    // The next run removes what the dead one left, and can save again.
    FolderLock lock(folder.path());
    CHECK(remove_stale_partials(lock).size() == 1);
    CHECK(names_in(folder) == std::vector<std::string>{".lock", "a"});
    write_large(folder / "a", 'y');
    CHECK(read_file(folder / "a") == std::string(10'000'000, 'y'));
  }
}

TEST_CASE("atomic file: temporaries of live processes and foreign files are left alone") {
  TempFolder folder;
  const std::string ours = "a.torch." + host_name() + ".";
  const std::vector<std::string> kept = {ours + "1.0.partial", "note.partial", "a.b.c.partial",
                                         "model_phase0.torch"};
  for (const std::string& name : kept) write_file(folder / name, "x");
  write_file(folder / (ours + std::to_string(::getpid()) + ".3.partial"), "x");
  write_file(folder / "a.torch.elsewhere.77.0.partial", "x");
  FolderLock lock(folder.path());
  CHECK(remove_stale_partials(lock).size() == 2);
  for (const std::string& name : kept) CHECK(std::filesystem::exists(folder / name));
}

TEST_CASE("atomic file: a link is replaced in one step and is relative") {
  TempFolder folder;
  write_file(folder / "one", "1");
  write_file(folder / "two", "2");
  symlink_atomic("one", folder / "checkpoint.torch");
  symlink_atomic("two", folder / "checkpoint.torch");
  CHECK(std::filesystem::read_symlink(folder / "checkpoint.torch") == "two");
  CHECK(read_file(folder / "checkpoint.torch") == "2");
  CHECK(names_in(folder).size() == 3);
}

TEST_CASE("folder lock: a second run is told who holds the folder") {
  TempFolder folder;
  {
    FolderLock lock(folder.path());
    CHECK(lock.is_held());
    CHECK(refusal([&] { FolderLock second(folder.path()); }) ==
          "another run uses this folder: " + folder.path().string() + " is locked by pid " +
              std::to_string(::getpid()) + " on " + host_name() +
              "; stop that run or set checkpoint.dir to another folder");
  }
  FolderLock again(folder.path());
  CHECK(again.is_held());
}

TEST_CASE("folder lock: a folder that cannot be written says so") {
  TempFolder folder;
  CHECK(refusal([&] { FolderLock lock(folder / "none"); }).find("No such file or directory") !=
        std::string::npos);
}
