// Initial values, draw for draw as torch.nn.init makes them on torch's CPU generator.
#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include <cmath>
#include <cstring>

#include "host/files/error.hpp"
#include "host/runtime/model/store.hpp"

namespace vissl::host {

namespace {

// Draws uniformly between the cut points' quantiles and maps back through the inverse error
// function (torch's trunc_normal_).
void truncated_normal(at::Tensor& tensor, double std, double cut) {
  auto norm_cdf = [](double x) { return (1.0 + std::erf(x / std::sqrt(2.0))) / 2.0; };
  const double low = norm_cdf(-cut / std), high = norm_cdf(cut / std);
  tensor.uniform_(2 * low - 1, 2 * high - 1);
  tensor.erfinv_();
  tensor.mul_(std * std::sqrt(2.0));
  tensor.add_(0.0);
  tensor.clamp_(-cut, cut);
}

// The Q of a random normal matrix with the signs of R's diagonal (torch's orthogonal_). At least
// two dimensions.
void orthogonal(at::Tensor& tensor, double gain) {
  if (tensor.numel() == 0) return;
  const int64_t rows = tensor.size(0), columns = tensor.numel() / rows;
  at::Tensor flat = at::empty({rows, columns}, tensor.options()).normal_(0, 1);
  if (rows < columns) flat = flat.t();
  auto [q, r] = at::linalg_qr(flat);
  q = q * at::diag(r, 0).sign();
  if (rows < columns) q = q.t();
  tensor.view({rows, columns}).copy_(q);
  tensor.mul_(gain);
}

[[noreturn]] void bad(std::string_view name, const std::string& what) {
  throw Error(Exit::run_failed, "'" + std::string(name) + "' cannot be created: " + what);
}

}  // namespace

at::Tensor initial_value(const vissl_store_spec& spec, std::string_view name) {
  if (spec.ndim > 8)
    bad(name, c10::str("it has ", spec.ndim, " dimensions, at most 8 are possible"));
  const at::IntArrayRef shape(spec.shape, spec.ndim);
  for (const int64_t size : shape)
    if (size < 0) bad(name, c10::str("its shape ", shape, " has a negative size"));
  at::NoGradGuard no_grad;
  at::Tensor tensor = at::empty(shape, static_cast<at::ScalarType>(spec.dtype));
  switch (spec.init) {
    case VISSL_INIT_ZEROS:
      return tensor.zero_();
    case VISSL_INIT_ONES:
      return tensor.fill_(1);
    case VISSL_INIT_CONSTANT:
      return tensor.fill_(spec.a);
    case VISSL_INIT_UNIFORM:
      return tensor.uniform_(spec.a, spec.b);
    case VISSL_INIT_NORMAL:
      return tensor.normal_(spec.a, spec.b);
    case VISSL_INIT_TRUNC_NORMAL:
      if (!(spec.a > 0)) bad(name, c10::str("its standard deviation is ", spec.a));
      truncated_normal(tensor, spec.a, spec.b);
      return tensor;
    case VISSL_INIT_ORTHOGONAL:
      if (spec.ndim < 2) bad(name, "an orthogonal initial value needs at least two dimensions");
      orthogonal(tensor, spec.a);
      return tensor;
    case VISSL_INIT_DATA:
      if (spec.data == nullptr && tensor.numel() > 0) bad(name, "its data pointer is NULL");
      if (tensor.nbytes() > 0) std::memcpy(tensor.mutable_data_ptr(), spec.data, tensor.nbytes());
      return tensor;
    default:
      bad(name, c10::str("there is no initial value number ", spec.init));
  }
}

}  // namespace vissl::host
