/* A library that only has to exist under a name. */
__attribute__((visibility("default"))) int STAND_IN(void) {
  return 1;
}
