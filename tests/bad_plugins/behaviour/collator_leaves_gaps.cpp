// Half of each row stays as the memory was.
#include <vissl/collator.hpp>
using namespace vissl;
static const vissl_batch_api& batches() {
  return service<vissl_batch_api>(VISSL_BATCH_ID);
}
static vissl_status layout(void*, vissl_sample*, std::int64_t count, vissl_batch* batch,
                           vissl_err* err) {
  const std::int64_t shape[2] = {count, 4};
  return batches().add(batch, str("data"), VISSL_F32, 2, shape, 0, err);
}
static vissl_status place(void*, std::int64_t i, std::int64_t, vissl_sample*, vissl_batch* batch,
                          vissl_err* err) {
  vissl_array array = {};
  array.size = sizeof array;
  const vissl_status status = batches().array(batch, str("data"), 0, &array, err);
  if (status != VISSL_OK) return status;
  auto* row = static_cast<float*>(const_cast<void*>(array.data)) + 4 * i;
  row[0] = row[1] = 1.0f;
  return VISSL_OK;
}
struct Broken {};
static constexpr vissl_collator_class kTable = {sizeof(vissl_collator_class),
                                                &detail::create<Broken>,
                                                &detail::destroy<Broken>,
                                                &layout,
                                                &place,
                                                nullptr};
VISSL_COMPONENT(Broken, VISSL_COLLATOR_ID, kTable, "collator/collator_leaves_gaps/Is narrow.")
VISSL_PLUGIN("org.example.collator_leaves_gaps", "1.0.0")
