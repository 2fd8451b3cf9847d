#include "host/files/line_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "host/files/csv_file.hpp"
#include "host/files/error.hpp"
#include "host/files/json_lines.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

}  // namespace

TEST_CASE("line file: lines are in the file as soon as they are written") {
  TempFolder folder;
  LineFile file(folder / "a");
  file.write_line("one");
  file.write_line("");
  CHECK(read_file(folder / "a") == "one\n\n");
  CHECK(file.size_bytes() == 5);
}

TEST_CASE("line file: a resumed run goes on where its checkpoint was") {
  TempFolder folder;
  std::uint64_t at_checkpoint = 0;
  {
    LineFile file(folder / "a");
    file.write_line("one");
    file.sync();
    at_checkpoint = file.size_bytes();
    file.write_line("two, lost");
  }
  LineFile file(folder / "a", at_checkpoint);
  CHECK(read_file(folder / "a") == "one\n");
  file.write_line("two");
  CHECK(read_file(folder / "a") == "one\ntwo\n");
}

TEST_CASE("line file: a torn last line is removed, also a very long one") {
  TempFolder folder;
  for (const std::string& torn : {std::string("{\"iter"), std::string(10'000, 'x')}) {
    write_file(folder / "a", "one\n" + torn);
    CHECK(LineFile(folder / "a").size_bytes() == 4);
    CHECK(read_file(folder / "a") == "one\n");
    write_file(folder / "b", torn);
    CHECK(LineFile(folder / "b").size_bytes() == 0);
  }
}

TEST_CASE("line file: a fresh run empties the file and a missing one is made") {
  TempFolder folder;
  write_file(folder / "a", "one\n");
  CHECK(LineFile(folder / "a", 0).size_bytes() == 0);
  CHECK(read_file(folder / "a").empty());
  CHECK(LineFile(folder / "b", 100).size_bytes() == 0);
}

TEST_CASE("json lines: keys keep their order and values that JSON lacks become null") {
  TempFolder folder;
  JsonLines file(folder / "a.json");
  file.write({{"iter", 1}, {"ep", 0}, {"loss", 0.5}, {"text", "a\nü"}});
  file.write({{"loss", std::nan("")}, {"bad", "\xff"}});
  CHECK(read_file(folder / "a.json") ==
        "{\"iter\":1,\"ep\":0,\"loss\":0.5,\"text\":\"a\\nü\"}\n"
        "{\"loss\":null,\"bad\":\"\xef\xbf\xbd\"}\n");
}

TEST_CASE("json lines: objects after an iteration are cut, in one step") {
  TempFolder folder;
  write_file(folder / "a.json",
             "{\"iter\":1}\n{\"note\":true}\n{\"iter\":3}\nbroken\n{\"iter\":2}\n{\"iter\":9}\n");
  JsonLines::cut_after(folder / "a.json", "iter", 2);
  CHECK(read_file(folder / "a.json") == "{\"iter\":1}\n{\"note\":true}\n{\"iter\":2}\n");
  JsonLines::cut_after(folder / "none.json", "iter", 2);
  CHECK(!std::filesystem::exists(folder / "none.json"));
}

TEST_CASE("csv file: the header is written once and fields are quoted where they must be") {
  TempFolder folder;
  for (int run = 0; run < 2; ++run) {
    CsvFile file(folder / "a.csv", {"iteration", "name", "value"});
    file.write(std::vector<std::string>{"3", "a,\"b\"\nc", CsvFile::number(0.1)});
  }
  CHECK(read_file(folder / "a.csv") ==
        "iteration,name,value\n3,\"a,\"\"b\"\" c\",0.1\n3,\"a,\"\"b\"\" c\",0.1\n");
  CHECK(CsvFile::number(1.0 / 3) == "0.3333333333333333");
  CHECK(CsvFile::number(std::nan("")) == "nan");
}

TEST_CASE("csv file: rows after an iteration are cut and the header stays") {
  TempFolder folder;
  write_file(folder / "a.csv", "name,iteration\n\"x,y\",1\nb,2\nc,3\n");
  CsvFile::cut_after(folder / "a.csv", "iteration", 1);
  CHECK(read_file(folder / "a.csv") == "name,iteration\n\"x,y\",1\n");
}

TEST_CASE("csv file: a file with other columns is refused") {
  TempFolder folder;
  write_file(folder / "a.csv", "epoch,loss\n");
  CHECK_THROWS_WITH_AS(
      CsvFile(folder / "a.csv", {"iteration"}),
      ((folder / "a.csv").string() + ": has other columns than this run writes; move it away")
          .c_str(),
      Error);
}
