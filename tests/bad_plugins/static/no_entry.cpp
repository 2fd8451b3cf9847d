// It has metadata but exports no entry function.
#include "bad.hpp"
RIGHT_SCHEDULE("no_entry")
VISSL_META_TEXT(vissl_plugin_meta, "plugin/org.example.no_entry/1.0.0/1.0");
