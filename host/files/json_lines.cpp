#include "host/files/json_lines.hpp"

namespace vissl::host {

void JsonLines::write(const nlohmann::ordered_json& object) {
  constexpr int kOneLine = -1;
  lines_.write_line(object.dump(kOneLine, ' ', /*ensure_ascii=*/false,
                                nlohmann::ordered_json::error_handler_t::replace));
}

void JsonLines::cut_after(const std::filesystem::path& path, const std::string& key,
                          std::int64_t last) {
  filter_lines(path, [&key, last](std::string_view line) {
    const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return false;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return true;
    return found->get<std::int64_t>() <= last;
  });
}

}  // namespace vissl::host
