#include "host/plugin/crash_note.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "host/files/mapped_file.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

TEST_CASE("crash note: a mapped file that was cut is an error with its name, not a crash") {
  const TempFolder folder;
  write_file(folder / "net.pth", std::string(20'000, 'x'));
  const pid_t process = ::fork();
  if (process == 0) {
    const int out = ::open((folder / "err").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ::dup2(out, STDERR_FILENO);
    install_crash_handler();
    const auto file = MappedFile::open(folder / "net.pth");
    std::filesystem::resize_file(folder / "net.pth", 100);
    const volatile std::byte* last = &file->bytes().back();
    ::_exit(*last == std::byte{'x'} ? 0 : 1);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == static_cast<int>(Exit::bad_data));
  CHECK(read_file(folder / "err") ==
        "error: " + (folder / "net.pth").string() +
            ": a part of it is gone or cannot be read; somebody writes it, which needs to end "
            "first, or the disk fails\n");
}
