// Formats of weights: which files they take for theirs, and what they make of whole and damaged
// ones.
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vissl/weights_format.h>

#include <algorithm>
#include <filesystem>

#include "host/files/sha256.hpp"
#include "host/files/tensor_list.hpp"
#include "host/plugin/conformance/behaviour_checks.hpp"
#include "host/plugin/weights_formats.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;
using Table = vissl_weights_format_class;

// An instance as the host's own code takes it.
class Judgeable final : public Instance {
 public:
  explicit Judgeable(Subject& subject)
      : made_(subject.create(subject.config())), declaration_(subject.declaration()) {}
  const void* table() const override { return &made_.as<Table>(); }
  void* self() const override { return made_.self(); }
  const void* extension(std::string_view) const override { return nullptr; }
  const std::string& kind() const override { return declaration_.kind; }
  const std::string& name() const override { return declaration_.name; }
  const std::string& plugin_id() const override { return declaration_.plugin_id; }
  const std::string& plugin_version() const override { return declaration_.plugin_version; }

 private:
  Made made_;
  const Declaration& declaration_;
};

// A file whose end is the end of a page, with nothing behind it: reading on is a crash.
class GuardedFile {
 public:
  explicit GuardedFile(std::string_view bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t whole = (bytes.size() / page + 1) * page;
    size_ = whole + page;
    place_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place_ == MAP_FAILED) judge_skipped("there is no memory for a file");
    auto* at = static_cast<std::byte*>(place_) + whole - bytes.size();
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), at);
    ::mprotect(place_, whole, PROT_READ);
    ::mprotect(static_cast<std::byte*>(place_) + whole, page, PROT_NONE);
    file_.bytes = {at, bytes.size()};
    file_.name = "a file of " + std::to_string(bytes.size()) + " bytes";
  }
  GuardedFile(const GuardedFile&) = delete;
  GuardedFile& operator=(const GuardedFile&) = delete;
  ~GuardedFile() { ::munmap(place_, size_); }
  const FileBytes& file() const { return file_; }
  vissl_weights_bytes bytes() const {
    return {sizeof(vissl_weights_bytes),
            reinterpret_cast<const unsigned char*>(file_.bytes.data()),
            file_.bytes.size(),
            {nullptr, 0}};
  }

 private:
  void* place_;
  std::size_t size_;
  FileBytes file_;
};

// What a format makes of a file.
struct Reading {
  bool is_known = false;
  std::string tensors;  // names, types, sizes and digests of the elements
  std::string names;    // the same without the digests
  std::size_t count = 0;
  std::string error;  // of a file that is refused
  Exit code = Exit::done;
};

Reading reading_of(const std::shared_ptr<const Instance>& format, std::string_view bytes) {
  const GuardedFile guarded(bytes);
  Reading reading;
  try {
    reading.is_known = recognises(*format, guarded.file());
    if (!reading.is_known) return reading;
    WeightsFile file;
    read_with(format, guarded.file(), file);
    for_each_tensor(file.tree, [&](const std::string& name, const TensorRef& tensor) {
      std::string line = name + " " + std::string(facts(tensor.dtype).name);
      for (const std::int64_t size : tensor.shape) line += " " + std::to_string(size);
      reading.names += line + "\n";
      reading.tensors += line + " " + tensor_sha256(tensor) + "\n";
      ++reading.count;
    });
  } catch (const Error& error) {
    reading.error = error.what();
    reading.code = error.code();
  } catch (const std::exception& error) {
    judge_wrong(std::string("an exception leaves it: ") + error.what() +
                "; catch it and return a status");
  }
  return reading;
}

std::string sample_of(const Instance& format) {
  const auto& table = format.as<Table>();
  if (table.sample == nullptr)
    judge_skipped("has no sample, a small file to read, cut and damage; write one");
  std::string bytes;
  const vissl_out out = text_sink(bytes);
  must("sample", [&](vissl_err* err) { return table.sample(format.self(), &out, err); });
  return bytes;
}

// Whole and readable, or judged.
Reading sample_reading(const std::shared_ptr<const Instance>& format, const std::string& bytes) {
  Reading reading = reading_of(format, bytes);
  if (reading.code != Exit::done) judge_wrong("its own sample cannot be read: " + reading.error);
  if (!reading.is_known) judge_wrong("recognise does not know its own sample");
  if (reading.count == 0) judge_wrong("its own sample has no tensor; put one into it");
  return reading;
}

std::string random_bytes(std::size_t size, std::uint64_t& state) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {  // Marsaglia's xorshift
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state >> 32);
  }
  return bytes;
}

// Asks `read` for each tensor with memory that holds one value, then another: what it leaves is not
// written.
struct Leftover {
  struct Made {
    std::string name;
    std::uint64_t number, bytes;
  };
  std::vector<Made> made;
  std::uint64_t count = 0;

  static vissl_status add(void* self, const vissl_weights_tensor* tensor) {
    auto& all = *static_cast<Leftover*>(self);
    std::uint64_t bytes = size_bytes(static_cast<DType>(tensor->dtype));
    for (std::uint32_t i = 0; i < tensor->ndim; ++i)
      bytes *= static_cast<std::uint64_t>(tensor->shape[i]);
    if (tensor->offset == VISSL_WEIGHTS_NOT_IN_FILE)
      all.made.push_back(
          {{tensor->name.data, static_cast<std::size_t>(tensor->name.size)}, all.count, bytes});
    ++all.count;
    return VISSL_OK;
  }

  void judge(const Instance& format, const std::string& sample) {
    const GuardedFile guarded(sample);
    const auto& table = format.as<Table>();
    const vissl_weights_bytes file = guarded.bytes();
    const vissl_weights_tensor_sink sink = {
        sizeof sink, this, add, [](void*, vissl_str, vissl_str) {}, [](void*, vissl_str) {}};
    void* opened = nullptr;
    must("open",
         [&](vissl_err* err) { return table.open(format.self(), &file, &sink, &opened, err); });
    for (const Made& one : made) {
      std::string results[2];
      for (const int fill : {0, 1}) {
        results[fill].assign(static_cast<std::size_t>(one.bytes), fill == 0 ? '\0' : '\xff');
        must("read", [&](vissl_err* err) {
          return table.read(opened, one.number, results[fill].data(), one.bytes, err);
        });
      }
      if (results[0] != results[1])
        judge_wrong("read of the tensor '" + one.name +
                    "' does not give the same bytes twice, or not all of them");
    }
    if (table.close != nullptr) table.close(opened);
  }
};

std::size_t open_files() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

Verdict check_format_recognises(Subject& subject) {
  constexpr int kFiles = 256;
  const auto format = std::make_shared<Judgeable>(subject);
  const auto other = std::make_shared<Judgeable>(subject);
  std::uint64_t state = 88172645463325252u;
  std::vector<std::string> files = {"", std::string(4096, '\0'), std::string(4096, '\xff'),
                                    "a text that somebody wrote, and no weights\n"};
  for (std::size_t i = 0; i < kFiles; ++i) files.push_back(random_bytes(1 + 16 * i, state));
  int claimed = 0;
  for (const std::string& bytes : files) {
    const GuardedFile guarded(bytes);
    const auto ask = [&](const Instance& instance) {
      std::uint32_t answer = 0;
      const vissl_weights_bytes file = guarded.bytes();
      must("recognise", [&](vissl_err* err) {
        return instance.as<Table>().recognise(instance.self(), &file, &answer, err);
      });
      return answer != 0;
    };
    const bool is_known = ask(*format);
    if (ask(*format) != is_known || ask(*other) != is_known)
      return {kFail, "recognise gives another answer about the same file the second time"};
    if (is_known && bytes.size() == 0) return {kFail, "recognise takes an empty file for its own"};
    claimed += is_known ? 1 : 0;
  }
  if (claimed > 0)
    return {kFail, "recognise takes " + std::to_string(claimed) + " of " +
                       std::to_string(files.size()) +
                       " files without weights for its own; look at more of what begins a file"};
  return {};
}

Verdict check_format_reads(Subject& subject) {
  const std::shared_ptr<const Instance> format = std::make_shared<Judgeable>(subject),
                                        other = std::make_shared<Judgeable>(subject);
  const std::string sample = sample_of(*format);
  const Reading first = sample_reading(format, sample);
  Leftover().judge(*format, sample);
  if (reading_of(format, sample).tensors != first.tensors)
    return {kFail, "the same file gives other tensors the second time"};
  if (reading_of(other, sample).tensors != first.tensors)
    return {kFail, "the same file gives other tensors in a second instance"};
  return {Outcome::ok, "its sample of " + std::to_string(sample.size()) +
                           " bytes: " + std::to_string(first.count) +
                           (first.count == 1 ? " tensor" : " tensors")};
}

Verdict check_format_damaged(Subject& subject) {
  constexpr std::size_t kMost = 512;  // places of a file
  const std::shared_ptr<const Instance> format = std::make_shared<Judgeable>(subject);
  const std::string sample = sample_of(*format);
  const Reading whole = sample_reading(format, sample);
  std::size_t refused = 0, tried = 0;
  const auto judge = [&](const std::string& bytes, const std::string& what) {
    const Reading reading = reading_of(format, bytes);
    ++tried;
    refused += reading.code != Exit::done || !reading.is_known ? 1 : 0;
    if (reading.code != Exit::done && reading.code != Exit::bad_data)
      judge_wrong("with its sample " + what + " it fails with exit code " +
                  std::to_string(static_cast<int>(reading.code)) + ": " + reading.error +
                  "; what is wrong with a file is VISSL_E_DATA");
    return reading;
  };
  const std::size_t step = sample.size() / kMost + 1;
  for (std::size_t at = 0; at < sample.size(); at += step) {
    const std::string cut =
        "cut after " + std::to_string(at) + " of " + std::to_string(sample.size()) + " bytes";
    const Reading reading = judge(sample.substr(0, at), cut);
    if (reading.code == Exit::done && reading.names == whole.names &&
        reading.tensors != whole.tensors)
      return {kFail, "gives other elements for its sample " + cut + ", without an error"};
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = sample;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      judge(damaged, "with byte " + std::to_string(at) + " changed");
    }
  }
  return {Outcome::ok, "refused " + std::to_string(refused) + " of " + std::to_string(tried) +
                           " damaged samples, survived all"};
}

Verdict check_format_closes(Subject& subject) {
  constexpr std::size_t kRounds = 100, kSlack = 16 * kRounds;  // bytes
  const std::shared_ptr<const Instance> format = std::make_shared<Judgeable>(subject);
  const std::string sample = sample_of(*format);
  const auto used = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  std::size_t before = 0, files_before = 0;
  for (int phase = 0; phase < 2; ++phase) {  // the first rounds fill caches
    before = used();
    files_before = open_files();
    for (std::size_t i = 0; i < kRounds; ++i) {
      sample_reading(format, sample);
      reading_of(format, sample.substr(0, sample.size() - 1));
    }
  }
  if (const std::size_t after = used(); after > before + kSlack)
    return {kFail, "keeps " + std::to_string((after - before) / kRounds) +
                       " bytes of each file after close; free them there"};
  if (const std::size_t files = open_files(); files > files_before)
    return {kFail, "leaves " + std::to_string(files - files_before) + " files open after close"};
  return {};
}

}  // namespace vissl::host
