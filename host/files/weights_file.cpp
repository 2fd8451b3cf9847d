#include "host/files/weights_file.hpp"

#include <fstream>

#include "host/files/damage.hpp"
#include "host/files/download_notes.hpp"
#include "host/files/error.hpp"
#include "host/files/file_bytes.hpp"
#include "host/files/gzip.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/module_state.hpp"
#include "host/files/npy.hpp"
#include "host/files/npz_reader.hpp"
#include "host/files/pickle_tree.hpp"
#include "host/files/safetensors_reader.hpp"
#include "host/files/sniff.hpp"
#include "host/files/torch_legacy_reader.hpp"
#include "host/files/torch_tar_reader.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "host/files/vissl_parts.hpp"
#include "host/files/weights_index.hpp"

namespace vissl::host {
namespace {

namespace fs = std::filesystem;

// What fvcore and Detectron2 write beside their checkpoints: the newest one's name.
constexpr const char* kNewest = "last_checkpoint";

fs::path newest_of(const fs::path& folder) {
  std::string name;
  std::getline(std::ifstream(folder / kNewest), name);
  const fs::path plain = fs::path(name).filename();
  std::error_code ignored;
  if (plain.empty() || plain != name || !fs::is_regular_file(folder / plain, ignored))
    throw Error(Exit::bad_data, (folder / kNewest).string() + ": names " + quoted_name(name) +
                                    ", which is no file of this folder; name the file of weights "
                                    "itself");
  return folder / plain;
}

// The file that a folder stands for.
fs::path file_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  constexpr const char* kNames[] = {"checkpoint.torch", "model.safetensors.index.json",
                                    "model.safetensors", "pytorch_model.bin.index.json",
                                    "pytorch_model.bin"};
  std::string names;
  for (const char* name : kNames) {
    if (fs::exists(path / name, ignored)) return path / name;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  if (fs::exists(path / kNewest, ignored)) return newest_of(path);
  names += std::string(", ") + kNewest;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (entry.path().extension() != ".distcp") continue;
    throw Error(Exit::bad_data,
                path.string() +
                    ": is a checkpoint of torch.distributed.checkpoint, which is not "
                    "supported; convert it with 'python -m "
                    "torch.distributed.checkpoint.format_utils dcp_to_torch " +
                    path.string() + " FILE'");
  }
  throw Error(Exit::bad_data, path.string() + ": is a folder without any of " + names +
                                  "; name the file of weights itself");
}

// "model-00001-of-00003.safetensors"
bool is_shard(const std::string& name) {
  const std::size_t of = name.rfind("-of-");
  constexpr std::size_t kDigits = 5;
  const auto is_number = [&name](std::size_t at) {
    return at + kDigits <= name.size() && name.find_first_not_of("0123456789", at) >= at + kDigits;
  };
  return of != std::string::npos && of > kDigits && is_number(of - kDigits) && is_number(of + 4);
}

void read_torch(ZipReader zip, const FileBytes& file, const WeightsReadOptions& options,
                WeightsFile& out) {
  TorchZipReadOptions torch;
  torch.verify = options.verify;
  torch.is_big_endian = options.is_big_endian;
  torch.allow_script = true;
  torch.objects = object_options(options, out);
  const bool is_script = zip.find(torch_zip_root(zip) + "constants.pkl") != nullptr;
  out.format = is_script ? "torchscript" : "torch_zip";
  const ScriptNames script =
      is_script ? torch_script_names(zip, torch_zip_root(zip)) : ScriptNames();
  out.tree = read_torch_zip(std::move(zip), file.keep_alive, file.name, torch);
  if (is_script) take_module_states(out, script);
}

void read_file(const FileBytes& file, const WeightsReadOptions& options, int zips,
               WeightsFile& out);

void read_zip(const FileBytes& file, const WeightsReadOptions& options, int zips,
              WeightsFile& out) {
  ZipReader zip(file.bytes, file.name);
  if (zip.entries().empty()) {
    throw Error(Exit::bad_data, file.name + ": is an empty zip file; use another copy");
  }
  if (zip.find(torch_zip_root(zip) + "data.pkl") != nullptr) {
    read_torch(std::move(zip), file, options, out);
  } else if (is_npz(zip)) {
    read_npz(std::move(zip), file, options, out);
  } else if (zip.entries().size() == 1 && zips == 0) {
    // A file of weights that somebody zipped.
    const ZipEntry& entry = zip.entries().front();
    FileBytes inner{zip.stored(entry), file.keep_alive, file.name + ": " + quoted_name(entry.name)};
    if (entry.is_deflated) {
      const auto kept =
          std::make_shared<const std::vector<std::byte>>(zip.contents(entry, entry.size_bytes));
      inner.bytes = *kept;
      inner.keep_alive = kept;
    }
    if (options.verify) zip.check_crc(entry, inner.bytes);
    read_file(inner, options, zips + 1, out);
  } else if (zip.find(torch_zip_root(zip) + "model.json") != nullptr) {
    throw Error(Exit::bad_data,
                file.name +
                    ": is a TorchScript program of torch 1.0 to 1.3, which is not "
                    "read; load it there and save its state_dict() with torch.save");
  } else {
    throw UnknownFormat(file.name +
                        ": is a zip file but not one of torch.save or numpy.savez: it begins "
                        "with " +
                        quoted_name(zip.entries().front().name) + "; name a file of weights");
  }
}

// As with zip, one layer that somebody put around the file.
void read_gzip(const FileBytes& file, const WeightsReadOptions& options, int zips,
               WeightsFile& out) {
  if (zips != 0) {
    throw Error(Exit::bad_data,
                file.name + ": is compressed more than once; decompress it first (gunzip)");
  }
  const auto kept = gunzip(file.bytes, file.name);
  MappedFile::let_go(file.bytes);
  read_file({*kept, kept, file.name}, options, zips + 1, out);
}

void read_array(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out) {
  out.format = "npy";
  const NpyHeader header = read_npy_header(file.bytes, file.name);
  if (!is_npy_of_objects(header)) {
    out.tree = Node(read_npy(file));
    return;
  }
  out.tree = read_lone_pickle({file.bytes.subspan(header.data_offset), file.keep_alive, file.name},
                              options, out);
}

// A pickle of protocol 0 or 1 may begin like any text.
void read_pickled(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out) {
  constexpr std::byte kProtocolMark{0x80};
  out.format = "pickle";
  if (file.bytes.front() != kProtocolMark) {
    try {
      read_pickle(as_text(file.bytes), file.name);
    } catch (const Error&) {
      throw_unknown_format(file.name);
    }
  }
  out.tree = read_lone_pickle(file, options, out);
}

void read_known(const FileBytes& file, const WeightsReadOptions& options, int zips,
                WeightsFile& out) {
  switch (sniff_weights(file.bytes, file.name)) {
    case WeightsFormat::zip:
      return read_zip(file, options, zips, out);
    case WeightsFormat::torch_legacy:
      return read_torch_legacy(file, options, out);
    case WeightsFormat::tar:
      return read_torch_tar(file, options, out);
    case WeightsFormat::safetensors:
      return read_safetensors(file, out);
    case WeightsFormat::npy:
      return read_array(file, options, out);
    case WeightsFormat::pickle:
      return read_pickled(file, options, out);
    case WeightsFormat::gzip:
      return read_gzip(file, options, zips, out);
    case WeightsFormat::json:
      return read_weights_index(file, options, out);
  }
}

// What none of our readers knows may be of another format.
void read_file(const FileBytes& file, const WeightsReadOptions& options, int zips,
               WeightsFile& out) {
  try {
    read_known(file, options, zips, out);
  } catch (const UnknownFormat& unknown) {
    if (options.formats == nullptr) throw;
    out = {};
    if (options.formats->read(file, out)) return;
    std::string text = unknown.what();
    if (!unknown.lists_formats()) throw Error(unknown.code(), text);
    const std::vector<std::string> names = options.formats->names();
    if (names.empty()) text += "; no plugin reads another format";
    for (std::size_t i = 0; i < names.size(); ++i)
      text += (i == 0 ? ", nor of a plugin's format: " : ", ") + names[i];
    throw Error(unknown.code(), text);
  }
}

WeightsFile read_opened(const fs::path& path, const WeightsReadOptions& options) {
  const auto mapped = MappedFile::open(path);
  WeightsFile out =
      read_weights({mapped->bytes(), mapped, mapped->name(), mapped->name()}, options);
  join_vissl_parts(out, path, options);
  if (is_shard(path.filename().string())) {
    out.warnings.push_back(
        "is one of several files of a model, by its name; the .index.json file beside it stands "
        "for all");
  }
  return out;
}

// A download that cannot be read would be met again and again: says which file to delete. The
// error begins with the file's name, which may be that of a part beside `path`.
void blame_download(const Error& error, const fs::path& path) {
  const std::string text = error.what();
  for (const fs::path& file : {fs::path(text.substr(0, text.find(": "))), path})
    if (const std::string remedy = download_remedy(file); !remedy.empty())
      throw Error(error.code(), text + remedy);
}

}  // namespace

WeightsFile read_weights_file(const fs::path& given, const WeightsReadOptions& options) {
  const fs::path path = file_of(given);
  try {
    return read_opened(path, options);
  } catch (const Error& error) {
    if (error.code() == Exit::bad_data) blame_download(error, path);
    throw;
  }
}

WeightsFile read_weights(const FileBytes& file, const WeightsReadOptions& options) {
  WeightsFile out;
  read_file(file, options, 0, out);
  take_module_states(out);
  return out;
}

}  // namespace vissl::host
