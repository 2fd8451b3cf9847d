#pragma once
// Much of a mapped file copied into memory that is there already.
#include <cstddef>
#include <span>
#include <vector>

namespace vissl::host {

// `to` has room for as many bytes as `from` has.
struct ReadPiece {
  std::span<const std::byte> from;
  std::byte* to;
};

// Copies every piece, in the order of the files. Bytes of a MappedFile are read from its file, not
// through the mapping: that costs no page faults, keeps the file's pages out of this process, and
// makes a file that somebody cut an error instead of a signal. Where the path leads to another file
// by now, and for all other bytes, memory is copied. Large files are read by up to `threads`.
//
// Throws Error(Exit::bad_data) that names the file when it is shorter than it was, or unreadable;
// some pieces may be copied then.
void read_into(std::vector<ReadPiece> pieces, int threads);

}  // namespace vissl::host
