#include "host/files/sniff.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "host/files/error.hpp"
#include "host/files/tar_block.hpp"

namespace vissl::host {
namespace {

using namespace std::string_view_literals;

// The pickled number that torch's first stream format begins with, without the opcodes before it.
constexpr std::string_view kLegacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;

struct Refusal {
  std::string_view start;
  std::string_view what;
  bool is_final = false;  // no weights in any format
};
constexpr Refusal kRefusals[] = {
    {"PK\x05\x06"sv, "is an empty zip file; use another copy", true},
    {"BZh"sv, "is compressed with bzip2; decompress it first (bunzip2)"},
    {"\xfd"
     "7zXZ"sv,
     "is compressed with xz; decompress it first (unxz)"},
    {"\x28\xb5\x2f\xfd"sv, "is compressed with zstd; decompress it first (unzstd)"},
    {"version https://git-lfs"sv,
     "is a git-LFS pointer, not the file itself; fetch it with 'git lfs pull'", true},
    {"\x89HDF"sv, "is an HDF5 file (Keras), which is not supported; convert it to safetensors"},
    {"PYTORCH1"sv,
     "is a TorchScript container of a release before 1.0, which is not supported; save the "
     "weights again with torch.save"},
};

bool starts_like(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::ranges::equal(text.substr(0, start.size()), start, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         });
}

std::string_view head_of(std::span<const std::byte> file) {
  constexpr std::size_t kHead = 4096;
  return {reinterpret_cast<const char*>(file.data()), std::min(file.size(), kHead)};
}

std::string_view visible_part(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"sv), text.size()));
}

bool is_page(std::string_view text) {
  return starts_like(text, "<!doctype") || starts_like(text, "<html") ||
         starts_like(text, "<?xml") || starts_like(text, "<head") || starts_like(text, "<error");
}

std::uint64_t header_size(std::span<const std::byte> file) {
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = (size << 8) | static_cast<std::uint64_t>(file[i]);
  return size;
}

bool is_pickle_start(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first == 0x80) return static_cast<unsigned char>(text[1]) <= 5;
  return "(}])c"sv.find(text[0]) != std::string_view::npos;
}

}  // namespace

WeightsFormat sniff_weights(std::span<const std::byte> file, const std::string& name) {
  const auto refuse = [&name](std::string_view what) {
    throw Error(Exit::bad_data, name + ": " + std::string(what));
  };
  const std::string_view text = head_of(file);
  if (file.empty()) refuse("is empty; use another copy");
  for (const Refusal& refusal : kRefusals) {
    if (!text.starts_with(refusal.start)) continue;
    if (refusal.is_final) refuse(refusal.what);
    throw UnknownFormat(name + ": " + std::string(refusal.what));
  }
  const std::string_view visible = visible_part(text);
  if (is_page(visible)) {
    refuse(
        "is a web page, not weights: a download link gave an error or a login page; check the "
        "link and download again");
  }
  if (starts_like(visible, "{\"error") || starts_like(visible, "{\"message")) {
    refuse("is the error message of a server, not weights: " +
           std::string(visible.substr(0, std::min<std::size_t>(visible.find('\n'), 120))) +
           "; download it again");
  }
  if (text.starts_with("PK\x03\x04"sv)) return WeightsFormat::zip;
  if (text.starts_with("\x93NUMPY"sv)) return WeightsFormat::npy;
  if (text.starts_with("\x1f\x8b"sv)) return WeightsFormat::gzip;
  if (begins_like_json(file)) return WeightsFormat::json;
  if (std::ranges::all_of(file.first(text.size()), [](std::byte b) { return b == std::byte{0}; })) {
    refuse("begins with nothing but zeros: an interrupted download; use another copy");
  }
  if (text.substr(0, 24).find(kLegacyMagic) != std::string_view::npos) {
    return WeightsFormat::torch_legacy;
  }
  if (file.size() > 8 && text[8] == '{' && header_size(file) <= file.size() - 8) {
    return WeightsFormat::safetensors;
  }
  if (is_tar_header(file)) return WeightsFormat::tar;
  // A header that is cut off: the size is plausible, the file shorter.
  if (file.size() > 8 && text[8] == '{' && header_size(file) <= 100'000'000) {
    return WeightsFormat::safetensors;
  }
  if (file.size() > 1 && is_pickle_start(text)) return WeightsFormat::pickle;
  if (file.size() < 16)
    throw UnknownFormat(name + ": is too short for a file of weights; use another copy");
  throw_unknown_format(name);
}

void throw_unknown_format(const std::string& name) {
  throw UnknownFormat(
      name +
          ": is of no format that holds weights: neither torch's zip, stream or tar "
          "format, TorchScript, safetensors, numpy's .npy and .npz nor a pickle of "
          "arrays",
      true);
}

bool begins_like_json(std::span<const std::byte> file) {
  const std::string_view visible = visible_part(head_of(file));
  return !visible.empty() && visible.front() == '{';
}

}  // namespace vissl::host
