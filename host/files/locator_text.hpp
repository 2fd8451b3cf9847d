#pragma once
// The text of a locator, taken apart without looking at any file.
#include <optional>
#include <string>
#include <string_view>

namespace vissl::host {

// What a fragment "#sha256=…&keep=…" says; empty = nothing.
struct Fragment {
  std::string sha256;  // 64 lower-case hexadecimal digits
  std::string keep;
};

// Takes a fragment off `locator`. What follows the last '#' is one when it begins with "sha256=" or
// "keep="; any other '#' belongs to the name. Throws Error(Exit::usage) for one that is malformed.
Fragment take_fragment(std::string& locator);

// The scheme that a locator names: "zoo" of "zoo://x", "hf-hub" of "hf-hub:org/name"; an upper-case
// "HTTPS://" counts as "https". A word before it is ignored, as mmcv does: "open-mmlab:s3://x" is
// "s3". Empty for a path: one letter before the colon is a drive, and a slash before it is a
// folder.
struct SchemeWord {
  std::string name;
  bool has_slashes = false;  // "://" follows, so it can hardly be the name of a file
};
SchemeWord scheme_word(std::string_view locator);

// The path of a "file:" locator, with %XX decoded. Throws Error(Exit::usage) when it names another
// host.
std::string file_locator_path(const std::string& locator);

// `text` with "***" in place of what may be secret in the addresses "scheme://…" in it: the
// password of "user:password@" (all of it without a name) and the values of a query. Files of this
// machine ("file://") have neither. An address ends at a space or a double quote.
std::string without_secrets(std::string_view text);

// "~" and "~/x" with $HOME, or the user's home folder of the system; "~name/x" with that user's.
// Everything else, also an unknown user, stays.
std::string expand_home(const std::string& path);

// Where a tensor's name goes on below the branch that a fragment keeps.
struct BranchName {
  std::string place;  // "", or "state_dict." for a branch below it
  std::string rest;   // without the branch's name
};
// Nothing when `name` is below `keep` neither at the top nor in "state_dict".
std::optional<BranchName> name_below(const std::string& keep, const std::string& name);
// Throws Error(Exit::bad_data): no tensor of the file is below `keep`.
[[noreturn]] void throw_no_branch(const std::string& keep, const std::string& path);

}  // namespace vissl::host
