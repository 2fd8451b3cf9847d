// disk_folder: one folder of images per class, as torchvision's ImageFolder reads it. The classes
// are the folders directly below `path`, sorted by name; each is walked with all folders below it,
// links included.
//
// Departs from VISSL: an image is read once and an unreadable one becomes gray like those of the
// other sources; VISSL reads each file twice and stops at the first that is broken.
#include <vissl/data_source.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

using namespace vissl;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kExtensions[] = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                            ".pgm", ".tif",  ".tiff", ".webp"};
constexpr const char* kExtensionText = "jpg, jpeg, png, ppm, bmp, pgm, tif, tiff and webp";

bool is_image(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::any_of(std::begin(kExtensions), std::end(kExtensions), [&](std::string_view end) {
    return name.size() >= end.size() &&
           name.compare(name.size() - end.size(), end.size(), end) == 0;
  });
}

// "'bird', 'cat' and 998 more"
std::string named(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += (i == 0 ? "'" : ", '") + names[i] + "'";
  return names.size() > kMost ? text + " and " + std::to_string(names.size() - kMost) + " more"
                              : text;
}

// Names of the folders and of the other entries below `folder`, sorted by byte, which is the order
// of code points.
struct Listing {
  std::vector<std::string> folders, files;

  explicit Listing(const std::string& folder) {
    try {
      for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        std::error_code broken_link;
        const bool is_folder = entry.is_directory(broken_link);
        (is_folder ? folders : files).push_back(entry.path().filename().string());
      }
    } catch (const fs::filesystem_error& error) {
      fail(VISSL_E_DATA, "cannot read the folder '" + folder + "': " + error.code().message());
    }
    std::sort(folders.begin(), folders.end());
    std::sort(files.begin(), files.end());
  }
};

// Paths below one root, all in one block of memory.
class Paths {
 public:
  std::int64_t count() const { return static_cast<std::int64_t>(ends_.size()); }
  void add(std::string_view path) {
    text_ += path;
    ends_.push_back(text_.size());
  }
  std::string_view at(std::int64_t i) const {
    const auto at = static_cast<std::size_t>(i);
    const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
    return std::string_view(text_).substr(begin, ends_[at] - begin);
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

struct DiskFolder {
  std::string root;
  std::vector<std::string> classes;
  Paths paths;  // relative to root
  std::vector<std::int64_t> labels;

  static void params(Params& p) {
    p.path("path", required, "Folder that holds one folder of images per class.");
  }
  explicit DiskFolder(const Config& c) : root(c.string("path")) {
    while (root.size() > 1 && root.back() == '/') root.pop_back();
  }

  void open() {
    std::error_code error;
    if (!fs::is_directory(root, error)) {
      fail(VISSL_E_DATA, "the image folder '" + root + "' " +
                             (fs::exists(root, error) ? "is not a folder" : "does not exist"));
    }
    classes = Listing(root).folders;
    if (classes.empty()) {
      fail(VISSL_E_DATA, "the image folder '" + root +
                             "' has no folder in it; it needs one folder of images per class");
    }
    std::vector<std::string> empty;
    for (std::size_t k = 0; k < classes.size(); ++k) {
      if (add_class(classes[k]) == 0) empty.push_back(classes[k]);
      labels.resize(static_cast<std::size_t>(paths.count()), static_cast<std::int64_t>(k));
    }
    if (empty.empty()) return;
    fail(VISSL_E_DATA, "the image folder '" + root + "' has no image for " + named(empty) +
                           "; images end in " + kExtensionText);
  }

  // Adds the images of one class in torchvision's order: folders sorted by their whole path, then
  // names.
  std::int64_t add_class(const std::string& name) {
    std::vector<std::pair<std::string, std::vector<std::string>>> folders;
    collect(name, 0, folders);
    std::sort(folders.begin(), folders.end());
    const std::int64_t before = paths.count();
    for (const auto& [folder, files] : folders) {
      for (const std::string& file : files) {
        if (is_image(file)) paths.add(folder + "/" + file);
      }
    }
    return paths.count() - before;
  }

  // The files of a folder and of all below it. Links that lead back up would never end.
  void collect(const std::string& folder, int depth,
               std::vector<std::pair<std::string, std::vector<std::string>>>& out) const {
    constexpr int kDeepest = 32;  // the system follows at most 40 links
    if (depth > kDeepest) {
      fail(VISSL_E_DATA, "the folder '" + root + "/" + folder + "' is more than " +
                             std::to_string(kDeepest) +
                             " levels deep; does a link lead back to a folder above it?");
    }
    Listing listing(root + "/" + folder);
    out.emplace_back(folder, std::move(listing.files));
    for (const std::string& below : listing.folders) collect(folder + "/" + below, depth + 1, out);
  }

  std::int64_t length() const { return paths.count(); }
  const std::int64_t& label(std::int64_t i) const { return labels[static_cast<std::size_t>(i)]; }
  std::string path(std::int64_t i) const { return root + "/" + std::string(paths.at(i)); }
  std::int64_t class_count() const { return static_cast<std::int64_t>(classes.size()); }
  std::string class_name(std::int64_t k) const { return classes[static_cast<std::size_t>(k)]; }

  struct Reader {
    const DiskFolder& source;
    std::string path;
    std::vector<char> bytes;
    explicit Reader(const DiskFolder& s) : source(s) {}

    void read(std::int64_t i, Image& image) {
      path.assign(source.root).append("/").append(source.paths.at(i));
      const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) fail(VISSL_E_DATA, std::generic_category().message(errno));
      const int error = read_all(file);
      ::close(file);
      if (error != 0) fail(VISSL_E_DATA, std::generic_category().message(error));
      image.set_encoded(bytes.data(), bytes.size());
    }

    // Reads the whole file into `bytes`; returns errno, or 0.
    int read_all(int file) {
      struct stat facts;
      if (::fstat(file, &facts) != 0) return errno;
      bytes.resize(static_cast<std::size_t>(facts.st_size));
      std::size_t done = 0;
      while (done < bytes.size()) {
        const ssize_t got = ::read(file, bytes.data() + done, bytes.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
      }
      bytes.resize(done);
      return 0;
    }
  };
};

}  // namespace

VISSL_DATA_SOURCE(DiskFolder, "disk_folder",
                  "Images in one folder per class, of any format that the host reads: JPEG, PNG, "
                  "BMP, PNM, WebP, TIFF.")
VISSL_PLUGIN("org.vissl.data_sources.disk_folder", "1.0.0")
