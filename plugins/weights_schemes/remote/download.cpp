#include "download.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "cache.hpp"
#include "content.hpp"
#include "digest.hpp"
#include "partial.hpp"

namespace fs = std::filesystem;

namespace remote {
namespace {

constexpr double kLongestWait_s = 30.0;
constexpr double kLongestRetryAfter_s = 60.0;
constexpr const char* kItsName = "its name";

// What the content has to be.
struct Expected {
  std::string sha256;   // whole, or the beginning that the name holds; empty = anything
  const char* by = "";  // who says so
  bool fits(const std::string& met) const { return met.compare(0, sha256.size(), sha256) == 0; }
};

Expected expected(const Settings& settings, const Wanted& wanted,
                  const vissl::WeightsRequest& request, Pin pin) {
  if (pin == Pin::checked && !request.sha256().empty())
    return {std::string(request.sha256()), "the pin #sha256="};
  return {settings.check_names ? hash_in_name(wanted.url.file_name()) : "", kItsName};
}

class Download {
 public:
  Download(const Settings& settings, const Wanted& wanted, const vissl::WeightsRequest& request,
           Pin pin = Pin::checked)
      : settings_(settings),
        wanted_(wanted),
        request_(request),
        expected_(expected(settings, wanted, request, pin)),
        address_(shown(wanted.url)),
        file_(cache_path(settings.cache_dir, wanted.url)) {
    if (wanted.url.file_name().empty())
      vissl::fail(VISSL_E_DATA, address_ + " names no file; an address of weights ends in one");
  }

  std::string any_cached() {
    std::string found = cached();
    return found.empty() ? in_torch_hub() : found;
  }

  // An empty path: the server has no such file.
  std::string path() {
    if (std::string found = any_cached(); !found.empty()) return found;
    if (settings_.offline && !cached_.sha256.empty()) fail_content(cached_.sha256, 0);
    if (settings_.offline)
      vissl::fail(VISSL_E_DATA, address_ + " is not cached, and the scheme is offline " +
                                    "(VISSL_OFFLINE=1 or offline = true); put the file at " +
                                    file_);
    make_folder_of(file_);
    const FileLock lock(file_ + ".lock", [&] {
      request_.info("another process downloads " + address_ + "; waiting for it");
    });
    if (std::string found = cached(); !found.empty()) return found;
    std::string text;
    if (const int status = lock.failure_met(text); status != 0) vissl::fail(status, text);
    try {
      return load(lock);
    } catch (const vissl::Failure& failure) {
      lock.leave_failure(failure.status(), failure.what());
      throw;
    }
  }

 private:
  // The file of the own cache when it is the right one.
  std::string cached() {
    Facts facts;
    cached_ = Facts();
    if (!stat_file(file_, facts)) return "";
    const std::string met = known_sha256(file_, file_ + ".check", cached_);
    const bool is_damaged = !cached_.sha256.empty() && cached_.sha256 != met;
    if (expected_.fits(met) && (!is_damaged || !expected_.sha256.empty())) {
      if (const NotWeights other = judged_hit()) {
        if (!warned_)
          request_.warn(file_ + " holds " + other.what +
                        " instead of weights; it is fetched again");
        cached_ = Facts();
        warned_ = true;
        return "";
      }
      request_.info("URL " + address_ + " cached in " + file_);
      return file_;
    }
    if (is_damaged) {
      if (!warned_)
        request_.warn(file_ + " is not what was downloaded any more; it is fetched again");
      cached_ = Facts();
      warned_ = true;
    }
    cached_.sha256 = is_damaged ? "" : met;
    return "";
  }

  // What an earlier release kept, or somebody put there, may be a server's notice. A pin knows
  // better.
  NotWeights judged_hit() const {
    return expected_.sha256.empty() ? not_weights(file_, wanted_.url.file_name()) : NotWeights();
  }

  // torch.hub's file, whose name many addresses share: only its content tells whether it is meant.
  std::string in_torch_hub() {
    Facts facts, noted;
    const std::string file = torch_hub_path(wanted_.url);
    if (!settings_.torch_hub || expected_.sha256.empty() || !stat_file(file, facts)) return "";
    const std::string notes = settings_.cache_dir + "/torch_hub/" +
                              fs::path(file).filename().string() + "," +
                              sha256_of_text(file).substr(0, 16) + ".check";
    std::error_code unwritable;  // then nothing is noted
    fs::create_directories(fs::path(notes).parent_path(), unwritable);
    if (!expected_.fits(known_sha256(file, notes, noted))) {
      // The file was changed on purpose, or is another one of this name: it is not ours to judge.
      request_.warn(file + " has other content than " + address_ + " must have; it is not used");
      return "";
    }
    request_.info("URL " + address_ + " cached in " + file);
    return file;
  }

  std::string load(const FileLock& lock) {
    const Url source = parse_url(mirrored(settings_.mirrors, wanted_.url.text()));
    // Without locks two processes must not write one file.
    Partial partial(file_ + (lock.is_held() ? ".partial" : ".partial." + unique_name()), address_);
    request_.info("Downloading: \"" + shown(source) + "\" to " + file_);
    bool resumed = partial.size() != 0, was_refused = false;
    for (int failures = 0;;) {
      const std::uint64_t before = partial.size();
      const Response response = attempt(source, partial);
      if (const NotWeights other = refusal(partial, response)) {
        refuse(partial, response, other, was_refused);
        was_refused = true;
        resumed = false;
        continue;
      }
      if (response.status == 404 || response.status == 410) return "";
      if (response.status == 304 && response.curl_code == 0) fail_content(cached_.sha256, 0);
      if (partial.is_complete(response)) {
        if (finish(partial, response, resumed)) return file_;
        resumed = false;
        continue;
      }
      if (partial.was_reset(response)) {
        resumed = false;
        continue;
      }
      const std::string reason = why(response);
      if (!is_transient(response)) fail_request(response, reason);
      if (partial.size() > before) failures = 0;
      if (++failures > settings_.retries)
        vissl::fail(VISSL_E_DATA,
                    address_ + ": " + reason + "; tried " + std::to_string(failures) +
                        " times. Try again later" +
                        (partial.size() != 0 ? " (the download goes on from there)" : "") +
                        ", or put the file at " + file_);
      resumed = resumed || partial.size() != 0;
      wait(failures, response.retry_after_s, reason, partial.size());
    }
  }

  Response attempt(const Url& source, Partial& partial) {
    Request ask;
    ask.url = source;
    // A mirror is another server, which is not to see them.
    if (same_server(source, wanted_.url)) ask.credentials = wanted_.credentials;
    if (ask.credentials.user.empty()) ask.credentials.user = source.user;
    ask.from = partial.size();
    ask.if_range = partial.validator();
    if (ask.from == 0 && cached_.validator.find('"') != std::string::npos)
      ask.if_none_match = cached_.validator;
    ask.timeout_s = settings_.timeout_s;
    std::uint64_t total = 0;
    Receiver receiver;
    receiver.begin = [&](const Response& response) {
      total = response.total;
      return partial.begin(response);
    };
    receiver.write = [&](const char* data, std::size_t bytes) {
      return partial.write(data, bytes);
    };
    receiver.progress = [&](std::uint64_t) { request_.progress(partial.size(), total); };
    const Response response = transfer(ask, receiver);
    partial.close();
    if (partial.error() != 0) {
      partial.remove();
      fail_write(file_ + ".partial", partial.error());
    }
    return response;
  }

  // Judges what came, at the first bytes or as a whole.
  NotWeights refusal(const Partial& partial, const Response& response) const {
    if (partial.refusal()) return partial.refusal();
    if (!partial.is_complete(response)) return {};
    const NotWeights other = not_weights(partial.path(), wanted_.url.file_name());
    const bool is_pinned = other && !expected_.sha256.empty();
    return is_pinned && expected_.fits(sha256_of_file(partial.path())) ? NotWeights() : other;
  }

  // Throws the bytes away. A server that is in trouble may answer well a moment later: it gets one
  // more chance.
  void refuse(Partial& partial, const Response& response, const NotWeights& other, bool again) {
    const std::string answer = shown(response.url) + " answers with " + other.what;
    partial.remove();
    if (again || settings_.retries == 0) vissl::fail(VISSL_E_DATA, answer + other.remedy);
    request_.warn(answer + " instead of a file; trying again");
    sleep(std::min(kLongestWait_s, settings_.backoff_s));
  }

  // False: what was resumed did not fit together, and is loaded once more from its beginning.
  bool finish(Partial& partial, const Response& response, bool resumed) {
    const std::uint64_t size = partial.size();
    if (is_cut_archive(partial.path(), wanted_.url.file_name())) {
      partial.remove();
      if (resumed) return false;
      vissl::fail(VISSL_E_DATA, shown(response.url) +
                                    " ends in the middle of the archive; the file on the server "
                                    "is damaged");
    }
    const std::string met = sha256_of_file(partial.path());
    Expected must = expected_;
    if (must.sha256.empty()) must = {response.linked_sha256, "the server"};
    if (!must.fits(met)) {
      partial.remove();
      if (resumed) return false;
      expected_ = must;
      fail_content(met, size);
    }
    Facts facts;
    facts.url = address_;
    facts.validator = partial.validator();
    facts.sha256 = met;
    partial.publish(file_);
    stat_file(file_, facts);
    write_facts(file_ + ".check", facts);
    request_.info("URL " + address_ + " cached in " + file_);
    return true;
  }

  [[noreturn]] void fail_content(const std::string& met, std::uint64_t size) {
    vissl::fail(
        VISSL_E_DATA,
        address_ + ": invalid hash value (expected \"" + expected_.sha256 + "\", which " +
            expected_.by + " says, got \"" + met + "\"" +
            (size != 0 ? " of " + std::to_string(size) + " bytes, which are thrown away" : "") +
            "); the file on the server is another one, or " +
            (expected_.by == kItsName ? "the name means something else: check_names = false"
                                      : "the expectation is wrong"));
  }

  static std::string why(const Response& response) {
    if (response.curl_code != 0) return response.curl_text;
    std::string text = "HTTP " + std::to_string(response.status);
    const std::size_t code = response.error_body.find("<Code>");
    if (code != std::string::npos) {  // how object stores tell what is wrong
      const std::size_t end = response.error_body.find("</Code>", code);
      if (end != std::string::npos)
        text += ", " + response.error_body.substr(code + 6, end - code - 6);
    }
    if (!response.bucket_region.empty())
      text += "; the bucket is in region " + response.bucket_region;
    return text;
  }

  [[noreturn]] void fail_request(const Response& response, const std::string& reason) {
    if (is_untrusted(response))
      vissl::fail(VISSL_E_DATA,
                  shown(response.url) + ": its certificate cannot be trusted (" + reason +
                      "); when it is one of your own network, name the file with the certificate "
                      "of its authority in SSL_CERT_FILE or CURL_CA_BUNDLE");
    if (response.curl_code != 0) vissl::fail(VISSL_E_DATA, address_ + ": " + reason);
    const bool refused = response.status == 401 || response.status == 403;
    vissl::fail(VISSL_E_DATA, shown(response.url) + ": the server refuses it (" + reason + "); " +
                                  (refused ? wanted_.on_refusal : "check the address") +
                                  ", or put the file at " + file_);
  }

  void wait(int failures, double retry_after_s, const std::string& reason, std::uint64_t done) {
    const double backoff =
        std::min(kLongestWait_s, settings_.backoff_s * std::pow(2.0, failures - 1));
    const double seconds = std::max(backoff, std::min(kLongestRetryAfter_s, retry_after_s));
    request_.warn(address_ + ": " + reason + " after " + std::to_string(done) +
                  " bytes; trying again");
    sleep(seconds);
  }

  static void sleep(double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }

  const Settings& settings_;
  const Wanted& wanted_;
  const vissl::WeightsRequest& request_;
  Expected expected_;
  std::string address_;  // for people
  std::string file_;
  bool warned_ = false;
  Facts cached_;  // of a file of the own cache that has other content than is expected
};

}  // namespace

bool fetch_if_there(const Settings& settings, const Wanted& wanted,
                    const vissl::WeightsRequest& request, std::string& path) {
  path = Download(settings, wanted, request).path();
  return !path.empty();
}

std::string find_cached(const Settings& settings, const Wanted& wanted,
                        const vissl::WeightsRequest& request) {
  return Download(settings, wanted, request).any_cached();
}

std::string fetch(const Settings& settings, const Wanted& wanted,
                  const vissl::WeightsRequest& request, Pin pin) {
  const std::string path = Download(settings, wanted, request, pin).path();
  if (path.empty())
    vissl::fail(VISSL_E_DATA,
                shown(wanted.url) + ": the server has no such file (HTTP 404); check the address");
  return path;
}

}  // namespace remote
