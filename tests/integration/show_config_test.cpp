// What `show config` prints of a config with secrets in its locators.
#include <doctest/doctest.h>

#include "process.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;

TEST_CASE("show config: secrets of locators are stars in every form, the rest is as it was") {
  const TempFolder folder;
  write_file(
      folder / "exp.toml",
      "weights_schemes = [{ name = \"vissl\", models = { mine = 's3://KEY:SECRET3@bucket/b.pth' "
      "} }]\n" +
          small_config(folder / "run") +
          "[model.weights_init]\n"
          "params_file = \"https://bob:SECRET1@host/a.pth?X-Amz-Signature=SECRET2&x=1"
          "#sha256=" +
          std::string(64, 'a') + "\"\n");
  for (const std::vector<std::string>& form :
       {std::vector<std::string>{}, {"--origins"}, {"--json"}}) {
    std::vector<std::string> arguments = {"show", "config"};
    arguments.insert(arguments.end(), form.begin(), form.end());
    for (const std::string& argument : run_arguments(folder / "exp.toml"))
      arguments.push_back(argument);
    const Result result = run_host(arguments);
    INFO(result.err);
    INFO(result.out);
    CHECK(result.exit_code == 0);
    CHECK((result.out + result.err).find("SECRET") == std::string::npos);
    CHECK(result.out.find("https://bob:***@host/a.pth?X-Amz-Signature=***&x=***#sha256=aaaa") !=
          std::string::npos);
    CHECK(result.out.find("s3://KEY:***@bucket/b.pth") != std::string::npos);
    if (!form.empty() && form[0] == "--origins")
      CHECK(result.out.find("exp.toml:") != std::string::npos);
  }
}
