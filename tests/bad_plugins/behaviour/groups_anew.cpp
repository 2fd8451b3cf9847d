// Each instance puts the parameters into other groups.
#include <vissl/param_groups.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  void assign(const vissl::ParamGroupsCall& call) {
    static std::uint64_t calls = 0;
    const vissl::ParamGroupsCall::Group groups[] = {call.add("even"), call.add("odd")};
    ++calls;
    for (const vissl::Param& p : call.params()) call.assign(p, groups[(p.index + calls) % 2]);
  }
};
VISSL_PARAM_GROUPS(Broken, "groups_anew", "Never groups alike.")
VISSL_PLUGIN("org.example.groups_anew", "1.0.0")
