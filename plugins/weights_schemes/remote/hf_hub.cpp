// The weights schemes "hf-hub" and "hf_hub", its older spelling: hf-hub:org/name, optionally
// @revision and /file. What the Hugging Face tools have cached is used as it is; anything else is
// downloaded into this plugin's own cache.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "cache.hpp"
#include "digest.hpp"
#include "download.hpp"

namespace fs = std::filesystem;

namespace {

using remote::environment;

struct Repository {
  std::string name;               // "org/name"
  std::string revision = "main";  // a branch, a tag or a commit
  std::string file;               // empty = the usual ones
};

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values)
    if (!value.empty()) return value;
  return "";
}

Repository parse(std::string_view text) {
  Repository repository;
  const std::size_t slash = text.find('/');
  const std::size_t end = slash == std::string_view::npos ? slash : text.find('/', slash + 1);
  std::string name(text.substr(0, end));
  if (end != std::string_view::npos) repository.file = text.substr(end + 1);
  const std::size_t at = name.find('@');
  if (at != std::string::npos) {
    repository.revision = name.substr(at + 1);
    name.resize(at);
  }
  if (name.empty() || name.back() == '/' || name.front() == '/' || repository.revision.empty() ||
      repository.revision.find('@') != std::string::npos)
    vissl::fail(VISSL_E_DATA,
                "it names no repository: it must have the form hf-hub:org/name, "
                "hf-hub:org/name@revision or hf-hub:org/name@revision/file");
  repository.name = name;
  return repository;
}

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string line_of(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

fs::path hub_home() {
  const std::string home = environment("HF_HOME");
  return home.empty() ? fs::path(remote::user_cache()) / "huggingface" : fs::path(home);
}

// The folder of a revision in the cache of the Hugging Face tools; empty without one.
fs::path snapshot(const Repository& repository) {
  const std::string cache =
      first_of({environment("HF_HUB_CACHE"), environment("HUGGINGFACE_HUB_CACHE"),
                (hub_home() / "hub").string()});
  std::string folder = "models--" + repository.name;
  for (std::size_t at = 0; (at = folder.find('/', at)) != std::string::npos;)
    folder.replace(at, 1, "--");
  const fs::path root = fs::path(cache) / folder;
  const std::string commit = is_hex(repository.revision, 40)
                                 ? repository.revision
                                 : line_of(root / "refs" / repository.revision);
  return commit.empty() ? fs::path() : root / "snapshots" / commit;
}

// Files that the index of a model in several parts names; they lie beside it.
std::set<std::string> parts_of(const std::string& index) {
  std::ifstream in(index, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::set<std::string> parts;
  for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos;) {
    const std::size_t end = text.find('"', at + 1);
    if (end == std::string::npos) break;
    const std::string word = text.substr(at + 1, end - at - 1);
    for (const std::string ending : {".safetensors", ".bin"})
      if (word.size() > ending.size() && word.find('/') == std::string::npos &&
          word.compare(word.size() - ending.size(), ending.size(), ending) == 0)
        parts.insert(word);
    at = end + 1;
  }
  return parts;
}

bool is_index(const std::string& file) {
  const std::string ending = ".index.json";
  return file.size() > ending.size() &&
         file.compare(file.size() - ending.size(), ending.size(), ending) == 0;
}

class HfHub {
 public:
  static constexpr bool checks_content = true;

  static void params(vissl::Params& p) {
    remote::Settings::params(p);
    p.strings("files",
              {"model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors",
               "open_clip_pytorch_model.bin", "model.safetensors.index.json",
               "pytorch_model.bin.index.json"},
              "Files to look for when the locator names none; the first that is there.");
    p.string("endpoint", "",
             "Address of the hub; HF_ENDPOINT or https://huggingface.co without it.");
    p.string(
        "token", "",
        "\"env:NAME\": the variable that holds an access token; HF_TOKEN, or the file that the "
        "Hugging Face tools keep, without it.");
  }
  explicit HfHub(const vissl::Config& c)
      : settings_(c),
        files_(c.strings("files")),
        endpoint_(
            first_of({c.string("endpoint"), environment("HF_ENDPOINT"), "https://huggingface.co"})),
        token_(first_of(
            {remote::secret(c, "token", "HF_TOKEN"),
             line_of(first_of({environment("HF_TOKEN_PATH"), (hub_home() / "token").string()}))})) {
    while (!endpoint_.empty() && endpoint_.back() == '/') endpoint_.pop_back();
    settings_.offline = settings_.offline || environment("HF_HUB_OFFLINE") == "1";
  }

  std::string resolve(const vissl::WeightsRequest& request) const {
    const Repository repository = parse(vissl::locator_path(request.locator()));
    const std::vector<std::string> files =
        repository.file.empty() ? files_ : std::vector<std::string>{repository.file};
    for (const std::string& file : files)
      if (const std::string path = in_hub_cache(repository, file, request); !path.empty())
        return path;
    for (const std::string& file : files)
      if (const std::string path =
              remote::find_cached(settings_, wanted(repository, file), request);
          !path.empty())
        return with_parts(path, repository, file, request);
    std::string tried;
    for (const std::string& file : files) tried += (tried.empty() ? "" : ", ") + file;
    if (settings_.offline)
      vissl::fail(VISSL_E_DATA,
                  "no cache has " + tried + " of " + repository.name + "@" + repository.revision +
                      ", and the scheme is offline (VISSL_OFFLINE=1, HF_HUB_OFFLINE=1 "
                      "or offline = true)");
    for (const std::string& file : files) {
      std::string path;
      if (remote::fetch_if_there(settings_, wanted(repository, file), request, path))
        return with_parts(path, repository, file, request);
    }
    vissl::fail(VISSL_E_DATA, repository.name + "@" + repository.revision + " at " + endpoint_ +
                                  " has none of: " + tried + "; name the file: hf-hub:" +
                                  repository.name + "@" + repository.revision + "/FILE");
  }

 private:
  // `path`, beside which the parts that it names lie now: a cached index may have lost one.
  std::string with_parts(const std::string& path, const Repository& repository,
                         const std::string& file, const vissl::WeightsRequest& request) const {
    if (is_index(file))
      for (const std::string& part : parts_of(path))
        remote::fetch(settings_, wanted(repository, part), request, remote::Pin::ignored);
    return path;
  }

  remote::Wanted wanted(const Repository& repository, const std::string& file) const {
    remote::Wanted wanted;
    wanted.url = remote::parse_url(endpoint_ + "/" + remote::percent_encode(repository.name) +
                                   "/resolve/" + remote::percent_encode(repository.revision) + "/" +
                                   remote::percent_encode(file));
    if (!token_.empty()) wanted.credentials.headers.push_back("Authorization: Bearer " + token_);
    wanted.on_refusal = token_.empty()
                            ? "the repository is private, gated or absent: set HF_TOKEN"
                            : "the token has no right to it, or the repository is absent";
    return wanted;
  }

  // The file of the tools' cache; empty without one, or when it is damaged or not the pinned one.
  std::string in_hub_cache(const Repository& repository, const std::string& file,
                           const vissl::WeightsRequest& request) const {
    const fs::path folder = snapshot(repository);
    std::error_code error;
    if (folder.empty() || !fs::is_regular_file(folder / file, error)) return "";
    const std::string path = (folder / file).string();
    // Large files are named by their SHA-256 where the tools keep them.
    const std::string blob = fs::weakly_canonical(path, error).filename().string();
    std::string must(request.sha256());
    if (must.empty() && is_hex(blob, 64)) must = blob;
    if (!must.empty()) {
      const std::string notes =
          settings_.cache_dir + "/hf_hub/" + remote::sha256_of_text(path).substr(0, 32) + ".check";
      fs::create_directories(fs::path(notes).parent_path(), error);  // else nothing is noted
      remote::Facts noted;
      if (remote::known_sha256(path, notes, noted) != must) {
        request.warn(path + " has not the content that " +
                     (request.sha256().empty() ? "its name says" : "is pinned") +
                     "; it is not used");
        return "";
      }
    }
    request.info(file + " of " + repository.name + " cached in " + path);
    return path;
  }

  remote::Settings settings_;
  std::vector<std::string> files_;
  std::string endpoint_, token_;
};

class OldHfHub : public HfHub {
 public:
  using HfHub::HfHub;
  std::string resolve(const vissl::WeightsRequest& request) const {
    request.warn("hf_hub: is deprecated, use hf-hub:");
    return HfHub::resolve(request);
  }
};

}  // namespace

VISSL_WEIGHTS_SCHEME(HfHub, "hf-hub", "Weights of the Hugging Face hub, cached ones first.")
VISSL_WEIGHTS_SCHEME(OldHfHub, "hf_hub", "An older spelling of hf-hub.")
