// Its forward leaves a thread running.
#include <unistd.h>

#include <thread>

#include "bad_loss.hpp"
struct Broken : Squares {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    std::thread([] { ::pause(); }).detach();
    return Squares::forward(output, target);
  }
};
FAULTY_LOSS(Broken, "starts_thread_in_call")
