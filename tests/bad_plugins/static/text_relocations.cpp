// Its code holds addresses that the loader must write into it.
#include "bad.hpp"
extern "C" {
__attribute__((visibility("hidden"))) int a_variable = 1;
__attribute__((naked, used)) static void holds_an_address() {
  __asm__("movabsq $a_variable, %rax\n\tret");
}
}
RIGHT_SCHEDULE("text_relocations")
VISSL_PLUGIN("org.example.text_relocations", "1.0.0")
