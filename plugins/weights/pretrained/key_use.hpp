#pragma once
// Which profile reads which key of [model.weights_init].
#include <vissl/plugin.hpp>

#include <string>

namespace pretrained {

// Fails (VISSL_E_CONFIG) for a key that is set and that the profile, or its way of matching names,
// does not read: what a user asked for must not be passed over in silence.
void refuse_unread_keys(const vissl::Config& c);

// The same for keys that names which are paired, by `pairs`, do without.
void refuse_unread_for_pairs(const vissl::Config& c, const std::string& pairs);

}  // namespace pretrained
