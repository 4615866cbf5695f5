#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>

#include "support/leaks.hpp"
#include "support/support.hpp"

namespace {

int leaking_tests = 0;

/// Has a test program fail where a test case leaves tensors or tapes behind.
class LeakListener : public doctest::IReporter {
 public:
  explicit LeakListener(const doctest::ContextOptions& /*options*/) {}
  void test_case_start(const doctest::TestCaseData& test) override {
    test_ = &test;
    before_ = weft::test::held();
  }
  void test_case_end(const doctest::CurrentTestCaseStats& /*stats*/) override {
    const std::string leak = weft::test::leaked(before_, weft::test::held());
    if (leak.empty()) return;
    ++leaking_tests;
    std::printf("%s:%u: the test case \"%s\" leaves %s\n", test_->m_file.c_str(), test_->m_line, test_->m_name, leak.c_str());
  }
  void report_query(const doctest::QueryData& /*query*/) override {}
  void test_run_start() override { weft::test::make_before_tests(); }
  void test_run_end(const doctest::TestRunStats& /*stats*/) override {}
  void test_case_reenter(const doctest::TestCaseData& /*test*/) override {}
  void test_case_exception(const doctest::TestCaseException& /*exception*/) override {}
  void subcase_start(const doctest::SubcaseSignature& /*subcase*/) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& /*assertion*/) override {}
  void log_message(const doctest::MessageData& /*message*/) override {}
  void test_case_skipped(const doctest::TestCaseData& /*test*/) override {}

 private:
  const doctest::TestCaseData* test_ = nullptr;
  weft::test::Held before_;
};

REGISTER_LISTENER("leaks", 1, LeakListener);

int run(int argc, char** argv) {
  if (argc == 2 && weft::test::run_option(argv[1])) return 0;
  doctest::Context context(argc, argv);
  int result = context.run();
  if (context.shouldExit()) return result;
  weft::test::print_skipped();
  if (leaking_tests > 0) {
    std::printf("test cases that leave tensors or tapes behind: %d\n", leaking_tests);
    result = 1;
  }
  return result;
}

}  // namespace

// What is wrong before any test, as a table that can't be made, ends the program with its message.
int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
