#include "host/cli/ranks.hpp"

#include <doctest/doctest.h>

#include <map>

#include "host/cli/options.hpp"
#include "host/cli/spawn.hpp"

using namespace vissl::host;

namespace {

using Variables = std::map<std::string, std::string>;

Ranks ranks_of(const Variables& variables, const RankOptions& options = {}) {
  return find_ranks(options, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string error_of(const Variables& variables, const RankOptions& options = {}) {
  try {
    ranks_of(variables, options);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return error.what();
  }
  return "no error";
}

const Variables kSlurm{{"SLURM_PROCID", "5"},    {"SLURM_NTASKS", "8"},
                       {"SLURM_LOCALID", "1"},   {"SLURM_NODELIST", "gpu[07-08,11]"},
                       {"SLURM_JOB_ID", "1234"}, {"SLURM_STEP_ID", "0"}};

}  // namespace

TEST_CASE("ranks: nothing said means one rank") {
  const Ranks ranks = ranks_of({});
  CHECK(ranks.rank == 0);
  CHECK(ranks.world == 1);
  CHECK(ranks.core_share == 1);
}

TEST_CASE("ranks: torchrun's variables") {
  const Ranks ranks = ranks_of({{"RANK", "3"},
                                {"WORLD_SIZE", "4"},
                                {"LOCAL_RANK", "1"},
                                {"LOCAL_WORLD_SIZE", "2"},
                                {"MASTER_ADDR", "a.example"},
                                {"MASTER_PORT", "1234"}});
  CHECK(ranks.rank == 3);
  CHECK(ranks.world == 4);
  CHECK(ranks.local_rank == 1);
  CHECK(ranks.core_share == 2);
  CHECK(ranks.address == "a.example");
  CHECK(ranks.port == 1234);
}

TEST_CASE("ranks: SLURM's variables, with the first node as meeting place and a port of the job") {
  Ranks ranks = ranks_of(kSlurm);
  CHECK(ranks.rank == 5);
  CHECK(ranks.world == 8);
  CHECK(ranks.local_rank == 1);
  CHECK(ranks.address == "gpu07");
  CHECK(ranks.core_share == 1);  // tasks have cores of their own
  const int port = ranks.port;
  CHECK(port >= 15000);
  CHECK(port < 30000);
  CHECK(ranks_of(kSlurm).port == port);
  Variables other = kSlurm;
  other["SLURM_JOB_ID"] = "1235";
  CHECK(ranks_of(other).port != port);
  other = kSlurm;
  other["SLURM_STEP_ID"] = "1";
  CHECK(ranks_of(other).port != port);
}

TEST_CASE("ranks: a SLURM job of one task, and a batch script outside of srun, are one rank") {
  Variables one = kSlurm;
  one["SLURM_PROCID"] = "0";
  one["SLURM_NTASKS"] = "1";
  CHECK(ranks_of(one).world == 1);
  Variables script = kSlurm;
  script["SLURM_PROCID"] = "0";
  script["ENVIRONMENT"] = "BATCH";
  script.erase("SLURM_STEP_ID");
  CHECK(ranks_of(script).world == 1);
}

TEST_CASE("ranks: options win over torchrun's variables, and those over SLURM's") {
  Variables both = kSlurm;
  both.insert({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "b"}});
  CHECK(ranks_of(both).world == 2);
  CHECK(ranks_of(both).port == 29500);
  RankOptions options;
  options.rank = 2;
  options.world = 3;
  options.rendezvous = "c:77";
  const Ranks ranks = ranks_of(both, options);
  CHECK(ranks.rank == 2);
  CHECK(ranks.world == 3);
  CHECK(ranks.address == "c");
  CHECK(ranks.port == 77);
}

TEST_CASE("ranks: a host of rank 0 without an address is named with its origin and a remedy") {
  const auto refusal = [](const Ranks& ranks) -> std::string {
    try {
      await_address(ranks, {});
    } catch (const Error& error) {
      CHECK(error.code() == Exit::distributed);
      const std::string text = error.what();  // between the brackets is what the system says
      return text.substr(0, text.find('(')) + text.substr(text.find(')') + 1);
    }
    return "no error";
  };
  Variables job = kSlurm;
  job["SLURM_NODELIST"] = "no_such_host.invalid";
  CHECK(refusal(ranks_of(job)) ==
        "the host of rank 0, 'no_such_host.invalid' by SLURM_NODELIST, has no address that this "
        "machine knows ; give a name or an address that every rank's machine knows in MASTER_ADDR");
  job["MASTER_ADDR"] = "127.0.0.1";
  CHECK(ranks_of(job).address == "127.0.0.1");
  CHECK(refusal(ranks_of(job)) == "no error");
  RankOptions options;
  options.rank = 0;
  options.world = 2;
  options.rendezvous = "no_such_host.invalid:7";
  CHECK(
      refusal(ranks_of({}, options)) ==
      "the host of rank 0, 'no_such_host.invalid' by --rendezvous, has no address that this "
      "machine knows ; give a name or an address that every rank's machine knows in --rendezvous");
}

TEST_CASE("ranks: hosts of SLURM's lists") {
  CHECK(first_host("") == "");
  CHECK(first_host("one") == "one");
  CHECK(first_host("one,two") == "one");
  CHECK(first_host("node[07-09,12],other") == "node07");
  CHECK(first_host("node[3]") == "node3");
  CHECK(first_host("a[1-2]-b[03,05]") == "a1-b03");
  CHECK(first_host("x,node[1-2]") == "x");
}

TEST_CASE("ranks: what is missing or wrong is named") {
  CHECK(error_of({{"WORLD_SIZE", "2"}}) ==
        "the environment has WORLD_SIZE but no RANK; set both, as torchrun does, or none");
  CHECK(error_of({{"WORLD_SIZE", "2"}, {"RANK", "0"}}) ==
        "the environment has WORLD_SIZE but no MASTER_ADDR; set it to the host of rank 0");
  CHECK(error_of({{"WORLD_SIZE", "2"}, {"RANK", "2"}, {"MASTER_ADDR", "a"}}) ==
        "this process is rank 2 of 2; ranks count from 0, so the last one is 1");
  CHECK(error_of({{"WORLD_SIZE", "two"}, {"RANK", "0"}}) ==
        "the environment's WORLD_SIZE is 'two'; it must be an integer from 1 to 1000000");
  RankOptions options;
  options.rank = 1;
  CHECK(error_of({}, options) ==
        "--rank and --world-size belong together; give both, or none of them");
  options.world = 2;
  CHECK(error_of({}, options) ==
        "--world-size 2 needs --rendezvous HOST:PORT, where rank 0 listens");
  options.rendezvous = "host";
  CHECK(error_of({}, options) == "--rendezvous is 'host'; it must be HOST:PORT of rank 0");
}

TEST_CASE("ranks: all but rank 0 log errors only and say who they are; --nproc is for one rank") {
  Options options = parse_options({"--config", "x.toml"});
  const auto environment = [](const char* name) -> const char* {
    const std::string_view n = name;
    return n == "RANK" ? "1" : n == "WORLD_SIZE" ? "2" : n == "MASTER_ADDR" ? "h" : nullptr;
  };
  become_rank(options, environment);
  CHECK(options.log.level == LogLevel::error);
  CHECK_FALSE(options.log.progress);
  CHECK(options.log.prefix == "rank 1: ");
  options = parse_options({"--config", "x.toml", "--nproc", "2"});
  CHECK_THROWS_WITH(become_rank(options, environment),
                    "this process is already one of 2 ranks by its environment; leave out --nproc");
}

TEST_CASE("ranks: --nproc and torchrun end the others when one fails, srun does not") {
  const auto supervised_by = [](const std::string& set) {
    return has_supervisor([&](const char* name) { return set == name ? "1" : nullptr; });
  };
  CHECK(supervised_by("VISSL_RENDEZVOUS_FD"));
  CHECK(supervised_by("TORCHELASTIC_RUN_ID"));
  CHECK_FALSE(supervised_by("SLURM_PROCID"));
}

TEST_CASE("spawn: ranks get the arguments without --nproc") {
  CHECK(without_nproc({"v", "--nproc", "3", "--config", "x"}) ==
        std::vector<std::string>{"v", "--config", "x"});
  CHECK(without_nproc({"v", "--nproc=3", "a=b"}) == std::vector<std::string>{"v", "a=b"});
}

TEST_CASE("spawn: the joint exit code is 5 before other errors before 75 before 0") {
  CHECK(joint_exit_code({0, 0}) == 0);
  CHECK(joint_exit_code({0, 75}) == 75);
  CHECK(joint_exit_code({75, 1}) == 1);
  CHECK(joint_exit_code({4, 5, 130}) == 5);
  CHECK(joint_exit_code({1, 1}) == 1);
}
