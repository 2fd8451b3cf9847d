// The build's contract with libtorch: it computes, differentiates, and its one OpenMP runtime is
// the wheel's.
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <link.h>

#include <atomic>
#include <string>
#include <vector>

namespace {

std::vector<std::string> loaded_libraries(const std::string& part) {
  std::vector<std::string> found;
  auto collect = [](dl_phdr_info* info, size_t, void* out) {
    static_cast<std::vector<std::string>*>(out)->emplace_back(info->dlpi_name);
    return 0;
  };
  dl_iterate_phdr(collect, &found);
  std::erase_if(found,
                [&](const std::string& name) { return name.find(part) == std::string::npos; });
  return found;
}

}  // namespace

TEST_CASE("libtorch: an operator computes and its gradient flows back") {
  at::Tensor x = at::arange(6, at::kFloat).reshape({2, 3}).requires_grad_(true);
  at::Tensor loss = at::matmul(x, x.t()).sum();
  CHECK(loss.item<float>() == doctest::Approx(83.0));  // column sums 3, 5, 7: 9 + 25 + 49
  loss.backward();
  at::Tensor expected =
      (2 * x.detach().sum(0)).expand({2, 3});  // d/dx sum_ij x_i.x_j = 2 sum_j x_j
  CHECK(at::allclose(x.grad(), expected));
}

TEST_CASE("libtorch: parallel_for in our code uses more than one thread") {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  std::atomic<int> seen{0};
  at::parallel_for(0, 2, 1, [&](int64_t, int64_t) { seen |= 1 << at::get_thread_num(); });
  at::set_num_threads(before);
  CHECK(seen == 3);
}

TEST_CASE("libtorch: one OpenMP runtime is loaded, and it stands beside libtorch_cpu.so") {
  const auto openmp = loaded_libraries("libgomp");
  const auto torch = loaded_libraries("libtorch_cpu");
  REQUIRE(openmp.size() == 1);
  REQUIRE(torch.size() == 1);
  auto folder = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
  CHECK(folder(openmp[0]) == folder(torch[0]));
}
