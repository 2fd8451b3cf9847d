// It has metadata but exports no entry function.
#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "no_entry")
VISSL_META_TEXT(vissl_plugin_meta, "plugin/org.example.no_entry/1.0.0/1.0");
