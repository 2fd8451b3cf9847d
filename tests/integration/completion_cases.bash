# Sourced by the tests of completion: makes $work with vissl-host and a config, and `cases`, pairs of what is typed before a tab
# and the line that a shell's editor makes of it.
# shellcheck shell=bash
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset VISSL_PLUGIN_PATH
ln -s "$VISSL_HOST" "$work/vissl-host"
cp "$VISSL_SOURCE_DIR/tests/integration/small.toml" "$work/exp.toml"

# shellcheck disable=SC2034  # read by who sources this
cases=(
  'vissl-host desc' 'vissl-host describe '
  'vissl-host describe loss/simc' 'vissl-host describe loss/simclr_info_nce_loss '
  'vissl-host show sch' 'vissl-host show schedule '
  'vissl-host show models dino_xc' 'vissl-host show models dino_xc'
  'vissl-host show models vissl://dino_xc' 'vissl-host show models vissl://dino_xcit_s16_300ep '
  'vissl-host new-plugin lr' 'vissl-host new-plugin lr_schedule '
  'vissl-host list --js' 'vissl-host list --json '
  'vissl-host list --color=al' 'vissl-host list --color=always '
  'vissl-host --config ex' 'vissl-host --config exp.toml '
  'vissl-host --config exp.toml optimizer.num_ep' 'vissl-host --config exp.toml optimizer.num_epochs='
  'vissl-host --config exp.toml optimizer.param_sch' 'vissl-host --config exp.toml optimizer.param_schedulers.'
  'vissl-host --config exp.toml data.train.transforms[RandomHorizontalFlip].p'
  'vissl-host --config exp.toml data.train.transforms[RandomHorizontalFlip].p='
  'vissl-host --config exp.toml test_only=tr' 'vissl-host --config exp.toml test_only=true '
  'vissl-host --config missing.toml optimizer.num_ep' 'vissl-host --config missing.toml optimizer.num_ep'
)
