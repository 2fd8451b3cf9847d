// Every sentence with which a .npy or .npz file is refused.
#include <doctest/doctest.h>

#include <string>

#include "host/files/error.hpp"
#include "host/files/npy.hpp"
#include "host/files/sink.hpp"
#include "host/files/weights_file.hpp"
#include "host/files/zip_writer.hpp"
#include "pickle_bytes.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using namespace vissl::test;

std::string npy(const std::string& header, const std::string& elements = "", char version = 1) {
  return "\x93NUMPY" + std::string(1, version) + std::string(1, '\0') +
         little_endian(header.size(), version == 1 ? 2 : 4) + header + elements;
}

std::string refusal(const std::string& file) {
  const std::vector<char> bytes(file.begin(), file.end());
  try {
    read_npy({std::as_bytes(std::span(bytes)), nullptr, "a.npy"});
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

void refused(const std::string& file, const std::string& what) {
  CHECK(refusal(file) ==
        "a.npy: " + what + "; the file is damaged or incomplete, use another copy");
}

}  // namespace

TEST_CASE("npy errors: each fault of a header is told with its byte") {
  CHECK(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "abcd")) ==
        "no error");
  refused("NUMPY", "is not a .npy file (byte 0)");
  refused("\x93NUMPY\x01", "ends inside its header (byte 7)");
  refused(npy("{}", "abcd", 4), "has the unknown .npy version 4 (byte 6)");
  refused(npy("{ 1: 2}"), "has no text in quotes where its header needs one (byte 12)");
  refused(npy("{'descr': '<f4'}"), "has a header without descr, fortran_order and shape (byte 26)");
  refused(npy("{'colour': 1}  "), "has the unknown header entry 'colour' (byte 20)");
  refused(npy("['descr']  "), "has no '{' where its header needs one (byte 10)");
  refused(npy("{'descr' 1}"), "has no ':' where its header needs one (byte 19)");
  refused(npy("{'descr': '<f4' 'x'}"), "has no '}' where its header needs one (byte 26)");
  CHECK(refusal(npy("{'descr': [('a', '<f4')]}")) ==
        "a.npy: has elements that are records, which are no plain numbers; save each of their "
        "fields as an array");
  refused(npy("{'descr': '<f4 }"), "has a header without an end (byte 20)");
  refused(npy("{'fortran_order': 1}"),
          "has a fortran_order that is neither True nor False (byte 28)");
  refused(npy("{'shape': (-1,)}"), "has a bad shape (byte 21)");
  refused(npy("{'shape': (1 2)}"), "has no ')' where its header needs one (byte 23)");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "1,";
  refused(npy("{'shape': (" + many + ")}"), "has a bad shape (byte 149)");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2), }"),
          "has a shape that overflows");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,), }"),
          "has a shape that overflows");
  CHECK(refusal(npy("{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }")) ==
        "a.npy: has elements of the type '<U3', which are no plain numbers; save it as numbers");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcd"),
          "ends before its 2 elements (byte 71)");
}

TEST_CASE("npz errors: an array that ends too early is named with its file") {
  MemorySink sink;
  ZipWriter zip(sink);
  zip.add_text("w.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcd"));
  zip.finish();
  TempFolder folder;
  const std::string path = (folder / "a.npz").string();
  write_file(path, {reinterpret_cast<const char*>(sink.data.data()), sink.data.size()});
  CHECK_THROWS_WITH_AS(read_weights_file(path),
                       (path + ": 'w.npy': ends before its elements (byte 64); the file is damaged "
                               "or incomplete, use another copy")
                           .c_str(),
                       Error);
}
