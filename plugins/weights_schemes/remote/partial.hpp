#pragma once
// A file that is being downloaded: FILE.partial, and beside it what the bytes belong to, so that a
// later process may go on.
#include <cstdint>
#include <string>

#include "cache.hpp"
#include "content.hpp"
#include "transfer.hpp"

namespace remote {

// A name that no other process has now.
std::string unique_name();

class Partial {
 public:
  // Takes what an earlier attempt at `url` left when the server named a validator for it; else
  // begins anew.
  Partial(std::string path, std::string url);
  ~Partial();
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  // For If-Range; empty when there is nothing to go on from.
  const std::string& validator() const { return facts_.validator; }

  // An answer begins: appends to what is there, or starts over when the server sends everything.
  // False: the answer does not go on where the file ends, or the disk is full.
  bool begin(const Response& response);
  bool write(const char* data, std::size_t bytes);
  void close();

  // errno of the file; 0 = none.
  int error() const { return error_; }
  // Why the content so far cannot be weights.
  const NotWeights& refusal() const { return refusal_; }
  // Whether all bytes are there.
  bool is_complete(const Response& response) const;
  // Whether the server's answer means that the bytes so far are of no use; they are gone then.
  bool was_reset(const Response& response);

  void remove();
  // Onto the disk, and under its name. Throws vissl::Failure.
  void publish(const std::string& file);

 private:
  bool open();
  void fill_head(const char* data, std::size_t bytes);

  std::string path_, notes_;
  Facts facts_;  // url and validator
  std::uint64_t size_ = 0;
  int fd_ = -1;
  int error_ = 0;
  bool misplaced_ = false;  // the answer began at another byte than was asked for
  int resets_ = 0;
  std::string head_;
  NotWeights refusal_;
};

}  // namespace remote
