#include "host/plugin/weights_formats.hpp"

#include <vissl/weights_format.h>

#include <algorithm>
#include <mutex>

#include "host/abi_text.hpp"
#include "host/files/damage.hpp"
#include "host/files/utf8.hpp"
#include "host/plugin/crash_note.hpp"
#include "host/plugin/declare.hpp"

namespace vissl::host {
namespace {

constexpr std::size_t kMostTensors = 1'000'000;
constexpr std::size_t kLongestName = 4096;
constexpr std::size_t kMostTextBytes = std::size_t{64} << 20;         // of metadata and warnings
constexpr std::uint64_t kLargestMadeBytes = std::uint64_t{16} << 30;  // of a tensor
constexpr std::uint32_t kMostDimensions = 8;

// "plugin 'org.example.toy' (weights_format 'toy')"
std::string subject(const Instance& format) {
  return "plugin '" + format.plugin_id() + "' (weights_format '" + format.name() + "')";
}

CrashNote note(const Instance& format, const char* what, const std::string& file) {
  return {subject(format), std::string("while it ") + what + " '" + file + "'",
          "report it to the plugin's author", static_cast<int>(Exit::bad_plugin)};
}

vissl_weights_bytes bytes_of(const FileBytes& file) {
  return {sizeof(vissl_weights_bytes),
          reinterpret_cast<const unsigned char*>(file.bytes.data()),
          file.bytes.size(),
          {file.path.data(), file.path.size()}};
}

// A file that a plugin has opened, together with all that the plugin may use.
class OpenFile {
 public:
  OpenFile(std::shared_ptr<const Instance> format, const FileBytes& file)
      : format_(std::move(format)), file_(file), table_(format_->as<Table>()) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (is_open_ && table_.close != nullptr) table_.close(opened_);
  }

  const Instance& format() const { return *format_; }
  const FileBytes& file() const { return file_; }
  bool makes_tensors() const { return table_.read != nullptr; }

  void open(const vissl_weights_tensor_sink& sink, const std::function<void()>& rethrow) {
    const CrashNote place = note(*format_, "opened", file_.name);
    const vissl_weights_bytes bytes = bytes_of(file_);
    ErrorSink error;
    const vissl_status status = table_.open(format_->self(), &bytes, &sink, &opened_, error.get());
    is_open_ = status == VISSL_OK;
    rethrow();
    error.check(status, file_.name + ": read as " + format_->name());
  }

  // [any thread]
  std::shared_ptr<Storage> read(std::uint64_t tensor, const std::string& name,
                                std::uint64_t bytes) const {
    auto storage = Storage::allocate(bytes);
    const std::lock_guard one_at_a_time(mutex_);
    const CrashNote place = note(*format_, "read a tensor of", file_.name);
    ErrorSink error;
    const vissl_status status =
        table_.read(opened_, tensor, storage->writable().data(), bytes, error.get());
    error.check(status,
                file_.name + ": read as " + format_->name() + ": tensor " + quoted_name(name));
    return storage;
  }

 private:
  using Table = vissl_weights_format_class;
  std::shared_ptr<const Instance> format_;
  FileBytes file_;  // the plugin's view of it points into this
  const Table& table_;
  void* opened_ = nullptr;
  bool is_open_ = false;
  mutable std::mutex mutex_;
};

// Takes what a plugin says about a file, or the first thing that is wrong with it.
class Taker {
 public:
  Taker(std::shared_ptr<OpenFile> file, WeightsFile& out) : file_(std::move(file)), out_(out) {}

  void run() {
    const vissl_weights_tensor_sink sink = {sizeof(vissl_weights_tensor_sink), this, tensor,
                                            metadata, warning};
    file_->open(sink, [this] {
      if (problem_) std::rethrow_exception(problem_);
    });
    out_.format = file_->format().name();
    out_.tree = Node(std::move(tensors_));
  }

 private:
  // Nothing may leave into the plugin; the first problem is thrown when `open` has returned.
  template <class Body>
  static vissl_status guarded(void* self, Body&& body) noexcept {
    Taker& taker = *static_cast<Taker*>(self);
    if (!taker.problem_) {
      try {
        body(taker);
        return VISSL_OK;
      } catch (...) {
        taker.problem_ = std::current_exception();
      }
    }
    return VISSL_E_DATA;
  }
  static vissl_status tensor(void* self, const vissl_weights_tensor* given) noexcept {
    return guarded(self, [given](Taker& taker) { taker.add(given); });
  }
  static void metadata(void* self, vissl_str key, vissl_str value) noexcept {
    guarded(self, [key, value](Taker& taker) {
      taker.out_.metadata.emplace_back(taker.counted(key), taker.counted(value));
    });
  }
  static void warning(void* self, vissl_str sentence) noexcept {
    guarded(self,
            [sentence](Taker& taker) { taker.out_.warnings.push_back(taker.counted(sentence)); });
  }

  std::string counted(vissl_str text) {
    const std::string_view given = view_of(text);
    if (given.size() > kMostTextBytes - text_bytes_) damaged("has too much metadata");
    text_bytes_ += given.size() + 1;
    if (text_bytes_ > kMostTextBytes) damaged("has too much metadata");
    if (!is_utf8(given)) damaged("has metadata that is no UTF-8");
    return std::string(given);
  }

  void add(const vissl_weights_tensor* given) {
    if (given == nullptr || given->size < sizeof(vissl_weights_tensor))
      broken("describes a tensor in a struct that is too short");
    const std::string name = text_of(given->name);
    if (tensors_.size() == kMostTensors) damaged("has too many tensors");
    if (name.empty()) damaged("has a tensor without a name");
    if (name.size() > kLongestName)
      damaged("has a tensor whose name has " + std::to_string(name.size()) + " bytes");
    if (!is_utf8(name)) damaged("has a tensor whose name is no text in UTF-8");
    const std::string tensor = "tensor " + quoted_name(name);
    if (tensors_.find(name) != nullptr) damaged("has two tensors called " + quoted_name(name));
    const DType dtype = dtype_of(given->dtype, tensor);
    if (given->ndim > kMostDimensions)
      broken("gives the " + tensor + " " + std::to_string(given->ndim) + " dimensions");
    if ((given->flags & ~std::uint64_t{VISSL_WEIGHTS_BIG_ENDIAN}) != 0)
      broken("gives the " + tensor + " flags that this host does not know");
    std::vector<std::int64_t> shape(given->shape, given->shape + given->ndim);
    TensorRef ref = TensorRef::contiguous(dtype, std::move(shape), nullptr);
    const std::uint64_t bytes = bytes_of_elements(ref, tensor);
    ref.storage = storage(*given, name, dtype, bytes);
    if (const char* problem = ref.invalid())
      damaged("has " + std::string(problem) + ": " + quoted_name(name));
    tensors_.set(name, Node(std::move(ref)));
  }

  DType dtype_of(vissl_dtype number, const std::string& tensor) const {
    const bool is_quantised = (number >= 12 && number <= 14) || number == 16 || number == 17;
    try {
      if (number == static_cast<std::int8_t>(number) && !is_quantised)
        return facts(static_cast<DType>(number)).dtype;
    } catch (const std::out_of_range&) {
      // Named below.
    }
    broken("gives the " + tensor + " the element type " + std::to_string(number) +
           ", which is none of VISSL_U8 …");
  }

  std::uint64_t bytes_of_elements(const TensorRef& ref, const std::string& tensor) const {
    std::uint64_t bytes = size_bytes(ref.dtype);
    bool is_empty = false;
    for (const std::int64_t size : ref.shape) {
      if (size < 0) damaged("gives the " + tensor + " a negative size");
      is_empty = is_empty || size == 0;
    }
    if (is_empty) return 0;
    for (const std::int64_t size : ref.shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
        damaged("gives the " + tensor + " more elements than can be counted");
    return bytes;
  }

  std::shared_ptr<Storage> storage(const vissl_weights_tensor& given, const std::string& name,
                                   DType dtype, std::uint64_t bytes) const {
    const FileBytes& file = file_->file();
    if (given.offset != VISSL_WEIGHTS_NOT_IN_FILE) {
      const std::uint64_t all = file.bytes.size();
      if (given.offset > all || bytes > all - given.offset)
        damaged("gives the tensor " + quoted_name(name) + " " + std::to_string(bytes) +
                " bytes from byte " + std::to_string(given.offset) + " on, but the file has " +
                std::to_string(all));
      return file_storage(file.bytes.subspan(given.offset, bytes), file_, dtype,
                          (given.flags & VISSL_WEIGHTS_BIG_ENDIAN) != 0);
    }
    if (!file_->makes_tensors())
      broken("says that the tensor " + quoted_name(name) +
             " is not in the file as it is, but has no method 'read' to make it");
    if (bytes > kLargestMadeBytes)
      damaged("gives the tensor " + quoted_name(name) + " " + std::to_string(bytes) +
              " bytes, more than the limit of " + std::to_string(kLargestMadeBytes) +
              " for what is not in the file as it is");
    const std::uint64_t number = tensors_.size();
    return Storage::lazy(
        bytes, [opened = file_, number, name, bytes] { return opened->read(number, name, bytes); });
  }

  // The file's fault, as far as one can tell.
  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(Exit::bad_data, file_->file().name + ": " + subject(file_->format()) +
                                    " reads a damaged file: it " + what + "; use another copy");
  }
  [[noreturn]] void broken(const std::string& what) const {
    throw Error(Exit::bad_plugin, file_->file().name + ": " + subject(file_->format()) + " " +
                                      what + "; report it to the plugin's author");
  }

  std::shared_ptr<OpenFile> file_;
  WeightsFile& out_;
  Dict tensors_;
  std::size_t text_bytes_ = 0;
  std::exception_ptr problem_;
};

// A config with the format's defaults: no file of a user has a place for others.
Value defaults(DeclarationIndex& index, const std::string& name, const std::string& file) {
  const Declaration* declaration = index.find("weights_format", name, file);
  if (const Param* param = first_required(declaration))
    throw Error(Exit::bad_plugin,
                file + ": plugin '" + declaration->plugin_id + "': the weights_format '" + name +
                    "' requires its parameter '" + param->name +
                    "', but formats have their defaults alone; report it to the plugin's author");
  return config_of_defaults(name, declaration);
}

}  // namespace

bool recognises(const Instance& format, const FileBytes& file) {
  const CrashNote place = note(format, "looked at", file.name);
  const vissl_weights_bytes bytes = bytes_of(file);
  std::uint32_t is_known = 0;
  ErrorSink error;
  const vissl_status status = format.as<vissl_weights_format_class>().recognise(
      format.self(), &bytes, &is_known, error.get());
  error.check(status, file.name + ": " + subject(format) + " cannot tell whether it knows it");
  return is_known != 0;
}

void read_with(std::shared_ptr<const Instance> format, const FileBytes& file, WeightsFile& out) {
  Taker(std::make_shared<OpenFile>(std::move(format), file), out).run();
}

std::shared_ptr<const Instance> PluginFormats::format(const std::string& name,
                                                      const std::string& file) {
  std::shared_ptr<const Instance>& slot = formats_[name];
  if (slot == nullptr) {
    const Value config = defaults(index_, name, file);
    slot = catalogue_.create("weights_format", &config);
  }
  return slot;
}

bool PluginFormats::read(const FileBytes& file, WeightsFile& out) {
  std::shared_ptr<const Instance> found;
  for (const std::string& name : names()) {
    std::shared_ptr<const Instance> candidate = format(name, file.name);
    if (!recognises(*candidate, file)) continue;
    if (found != nullptr)
      throw Error(Exit::bad_plugin, file.name + ": " + subject(*found) + " and " +
                                        subject(*candidate) +
                                        " both say that they read it; take one of them out of "
                                        "the plugin folders");
    found = std::move(candidate);
  }
  if (found == nullptr) return false;
  read_with(std::move(found), file, out);
  return true;
}

}  // namespace vissl::host
