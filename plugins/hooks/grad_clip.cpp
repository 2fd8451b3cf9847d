// Limits the total norm of all gradients before the optimizer's step, as
// torch.nn.utils.clip_grad_norm_ does.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

#include <cmath>
#include <string>

using namespace vissl;

namespace {

struct GradClip {
  double max_norm, norm_type;

  static void params(Params& p) {
    p.number("max_norm", 1.0, above(0.0), "Largest norm of all gradients together.")
        .vissl("MODEL.GRAD_CLIP.MAX_NORM");
    p.number("norm_type", 2.0, above(0.0), "2, 1 or inf: the kind of norm.")
        .vissl("MODEL.GRAD_CLIP.NORM_TYPE");
  }
  explicit GradClip(const Config& c)
      : max_norm(c.number("max_norm")), norm_type(c.number("norm_type")) {
    if (norm_type != 1.0 && norm_type != 2.0 && !std::isinf(norm_type)) {
      fail(VISSL_E_CONFIG, "'norm_type' of grad_clip is 2, 1 or inf");
    }
  }
  static constexpr auto events = event_mask(Event::backward);
  void on_event(Event, Run& run) const { run.clip_grads(max_norm, norm_type); }
};

}  // namespace

VISSL_HOOK(GradClip, "grad_clip", "Limits the norm of all gradients.")
VISSL_PLUGIN("org.vissl.hooks.grad_clip", "1.0.0")
