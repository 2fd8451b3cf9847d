#include "host/runtime/setting.hpp"

#include "host/abi_text.hpp"

namespace vissl::host {

std::string Setting::where() const {
  return value_ == nullptr ? "" : text_of(api_->where(value_));
}

Setting Setting::operator[](std::string_view dotted_key) const {
  const vissl_value* node = value_;
  while (node != nullptr) {
    const std::size_t dot = dotted_key.find('.');
    const std::string_view key = dotted_key.substr(0, dot);
    node = api_->type(node) == VISSL_VALUE_TABLE ? api_->find(node, {key.data(), key.size()})
                                                 : nullptr;
    if (dot == std::string_view::npos) break;
    dotted_key.remove_prefix(dot + 1);
  }
  return {api_, node};
}

Setting Setting::at(std::size_t i) const {
  return {api_, value_ == nullptr ? nullptr : api_->at(value_, i)};
}

std::size_t Setting::size() const {
  return value_ == nullptr ? 0 : static_cast<std::size_t>(api_->count(value_));
}

std::string Setting::key(std::size_t i) const {
  return value_ == nullptr ? "" : text_of(api_->key_at(value_, i));
}

std::string Setting::as_string() const {
  return value_ == nullptr ? "" : text_of(api_->as_string(value_));
}

bool Setting::boolean(std::string_view dotted_key) const {
  return (*this)[dotted_key].as_bool();
}
std::int64_t Setting::integer(std::string_view dotted_key) const {
  return (*this)[dotted_key].as_int();
}
double Setting::number(std::string_view dotted_key) const {
  return (*this)[dotted_key].as_number();
}
std::string Setting::string(std::string_view dotted_key) const {
  return (*this)[dotted_key].as_string();
}

std::vector<std::string> Setting::strings(std::string_view dotted_key) const {
  const Setting list = (*this)[dotted_key];
  std::vector<std::string> out;
  if (list.type() == VISSL_VALUE_STRING) return {list.as_string()};
  for (std::size_t i = 0; i < list.size(); ++i) out.push_back(list.at(i).as_string());
  return out;
}

}  // namespace vissl::host
