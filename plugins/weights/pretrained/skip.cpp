#include "skip.hpp"

#include <fnmatch.h>
#include <vissl/error.hpp>

#include <string_view>

namespace pretrained {

SkipEntry::SkipEntry(std::string text) : text_(std::move(text)) {
  constexpr std::string_view kGlob = "glob:", kExpression = "re:";
  const std::string_view view = text_;
  const bool glob = view.substr(0, kGlob.size()) == kGlob;
  const bool expression = view.substr(0, kExpression.size()) == kExpression;
  const std::string pattern = text_.substr(glob         ? kGlob.size()
                                           : expression ? kExpression.size()
                                                        : 0);
  if (pattern.empty())
    vissl::fail(VISSL_E_CONFIG, "skip_layers has the entry '" + text_ +
                                    "', which names nothing; entries are a part of a name, "
                                    "\"glob:heads.*\" or \"re:^fc\\\\.\"");
  if (glob) glob_ = pattern;
  if (expression) expression_.emplace(pattern, "");
}

bool SkipEntry::matches(const std::string& target) const {
  if (expression_) return expression_->found_in(target);
  if (!glob_.empty()) return fnmatch(glob_.c_str(), target.c_str(), 0) == 0;
  return target.find(text_) != std::string::npos;
}

std::string skipped_by(const std::vector<SkipEntry>& skip, const std::string& target) {
  for (const SkipEntry& entry : skip)
    if (entry.matches(target)) return entry.text();
  return "";
}

}  // namespace pretrained
