// compare_runs A B: prints every difference between the final checkpoints and the logs of two run
// folders, compared bit by bit, and exits with 1 when there is one.
#include <cstdio>
#include <exception>

#include "integration/run_files.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: compare_runs FOLDER FOLDER\n");
    return 2;
  }
  try {
    const std::string text = vissl::test::differences(argv[1], argv[2]);
    std::fputs(text.c_str(), stdout);
    return text.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare_runs: %s\n", error.what());
    return 2;
  }
}
