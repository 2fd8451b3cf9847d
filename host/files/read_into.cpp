#include "host/files/read_into.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"

namespace vissl::host {
namespace {

constexpr std::size_t kPart = std::size_t{4} << 20;        // bytes that a thread takes at once
constexpr std::size_t kPerThread = std::size_t{16} << 20;  // below, a thread is not worth its start

// The file of a mapping once more, unless its path leads elsewhere by now.
class Reopened {
 public:
  explicit Reopened(const MappedFile& mapped) : mapped_(mapped) {
    fd_ = ::open(mapped.name().c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    is_same_ = fd_ >= 0 && ::fstat(fd_, &facts) == 0 && mapped.is_of(facts);
  }
  Reopened(const Reopened&) = delete;
  Reopened& operator=(const Reopened&) = delete;
  ~Reopened() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool is_same() const { return is_same_; }

  // Any thread.
  void read(const ReadPiece& piece) const {
    std::size_t offset = static_cast<std::size_t>(piece.from.data() - mapped_.bytes().data());
    std::size_t done = 0;
    while (done < piece.from.size()) {
      const ssize_t got = ::pread(fd_, piece.to + done, piece.from.size() - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        throw Error(Exit::bad_data, mapped_.name() + ": cannot be read: " + std::strerror(errno) +
                                        "; check the disk or the server that has it");
      if (got == 0)
        throw Error(Exit::bad_data, mapped_.name() + ": ends at byte " +
                                        std::to_string(offset + done) + ", but had " +
                                        std::to_string(mapped_.bytes().size()) +
                                        " when it was opened: somebody writes it; wait for that, "
                                        "or use another copy");
      done += static_cast<std::size_t>(got);
    }
  }

 private:
  const MappedFile& mapped_;
  int fd_ = -1;
  bool is_same_ = false;
};

std::vector<ReadPiece> cut(std::span<const ReadPiece> pieces) {
  std::vector<ReadPiece> parts;
  for (const ReadPiece& piece : pieces)
    for (std::size_t at = 0; at < piece.from.size(); at += kPart)
      parts.push_back(
          {piece.from.subspan(at, std::min(kPart, piece.from.size() - at)), piece.to + at});
  return parts;
}

// Runs `copy` on every part; the first error of any thread is thrown.
void spread(const std::vector<ReadPiece>& parts, int threads,
            const std::function<void(const ReadPiece&)>& copy) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      for (std::size_t i = 0; (i = next++) < parts.size();) copy(parts[i]);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = parts.size();
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
}

void read_file(const MappedFile* mapped, std::span<const ReadPiece> pieces, int threads) {
  std::size_t total = 0;
  for (const ReadPiece& piece : pieces) total += piece.from.size();
  const int useful = static_cast<int>(std::min<std::size_t>(total / kPerThread, 64));
  const std::vector<ReadPiece> parts = cut(pieces);
  if (mapped != nullptr) {
    const Reopened file(*mapped);
    if (file.is_same())
      return spread(parts, std::min(threads, useful),
                    [&file](const ReadPiece& part) { file.read(part); });
  }
  spread(parts, std::min(threads, useful), [](const ReadPiece& part) {
    std::memcpy(part.to, part.from.data(), part.from.size());
    MappedFile::let_go(part.from);
  });
}

}  // namespace

void read_into(std::vector<ReadPiece> pieces, int threads) {
  std::erase_if(pieces, [](const ReadPiece& piece) { return piece.from.empty(); });
  std::ranges::sort(pieces, std::less<>(),
                    [](const ReadPiece& piece) { return piece.from.data(); });
  // A mapping is one range of addresses, so the pieces of one file follow each other.
  for (std::size_t first = 0, last = 0; first < pieces.size(); first = last) {
    const auto mapped = MappedFile::of(pieces[first].from);
    while (last < pieces.size() && MappedFile::of(pieces[last].from) == mapped) ++last;
    read_file(mapped.get(), std::span(pieces).subspan(first, last - first), threads);
  }
}

}  // namespace vissl::host
