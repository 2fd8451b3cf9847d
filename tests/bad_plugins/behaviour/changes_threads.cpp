// It sets the number of libtorch's threads, which belongs to the run, through the library itself.
#include <dlfcn.h>

#include "bad_loss.hpp"
struct Broken : Squares {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    using SetThreads = void (*)(int);
    void* const library = ::dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
    const auto set = reinterpret_cast<SetThreads>(::dlsym(library, "_ZN2at15set_num_threadsEi"));
    if (set == nullptr) vissl::fail(VISSL_E_FAILED, "no libtorch to spoil");
    set(2);
    ::dlclose(library);
    return Squares::forward(output, target);
  }
};
FAULTY_LOSS(Broken, "changes_threads")
