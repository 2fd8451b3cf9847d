// An ordinary library that somebody dropped into the folder.
extern "C" __attribute__((visibility("default"))) int vissl_plugin_entry_v1() {
  return 1;
}
