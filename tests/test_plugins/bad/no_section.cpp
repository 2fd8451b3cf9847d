// An ordinary library that somebody dropped into the folder.
extern "C" int an_ordinary_function() {
  return 1;
}
