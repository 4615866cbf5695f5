#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "support/support.hpp"

int main(int argc, char** argv) {
  if (argc == 2 && weft::test::run_option(argv[1])) return 0;
  doctest::Context context(argc, argv);
  const int result = context.run();
  if (!context.shouldExit()) weft::test::print_skipped();
  return result;
}
