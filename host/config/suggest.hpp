#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

// The names that the user may have meant, best first, at most three. Near means few typing errors,
// or an abbreviation that skips letters ("simclr_loss" for "simclr_info_nce_loss").
std::vector<std::string> near_names(std::string_view met, const std::vector<std::string>& known);

// "; did you mean 'a' or 'b'?", or "; known: a, b, c" when nothing is near and there are at most
// `most_listed` names, or nothing.
std::string suggestion(std::string_view met, const std::vector<std::string>& known,
                       std::size_t most_listed = 12);

}  // namespace vissl::host
