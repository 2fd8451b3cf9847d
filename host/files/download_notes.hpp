#pragma once
#include <filesystem>
#include <string>

namespace vissl::host {

// What to do about a file that is damaged, as the end of the sentence that says so: "; it came from
// ADDRESS: delete FILE to download it again" when FILE.check, which whoever keeps downloads writes
// beside them, begins with the line "url ADDRESS"; else empty. Printable and without secrets.
std::string download_remedy(const std::filesystem::path& file);

}  // namespace vissl::host
