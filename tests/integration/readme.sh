#!/usr/bin/env bash
# Every command of README.md works: those of vissl-host are run with few steps, the scripts exist, the plugin is compiled and
# described, the list of packages is that of scripts/packages.txt. A line that this test cannot place is an error.
set -euo pipefail
readme=$VISSL_SOURCE_DIR/README.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  printf 'README.md: %s\n' "$*"
  exit 1
}

sed 's/{ name = "RandomHorizontalFlip" }/{ name = "RandomResizedCrop", size = 32 }/' \
  "$VISSL_SOURCE_DIR/tests/integration/small.toml" >"$work/exp.toml"
# The folders that the commands name, and a network that is done in a second.
ln -s "$VISSL_BUILD" "$work/build"
ln -s "$VISSL_SOURCE_DIR/configs" "$work/configs"
export PATH=$VISSL_BUILD:$PATH VISSL_PLUGIN_PATH=$VISSL_PLUGIN_DIR
cd "$work"
short=(optimizer.num_epochs=1 data.train.data_limit.count=64 data.train.batchsize_per_replica=32
  data.train.transforms[RandomResizedCrop].size=16 checkpoint.dir=run)

run_host() { # COMMAND...
  local more=()
  case " $* " in
    *" list "* | *" bench "* | *" describe "* | *" show "* | *" check "* | *" check-plugin "* | *" new-plugin "* | *" completion "* | *" inspect "* | *" convert "*) ;;
    *configs/demo/*) more=("${short[@]}") ;;
    *) more=(optimizer.num_epochs=1 checkpoint.dir="run$ran") ;;
  esac
  "$@" "${more[@]}" >out 2>err || fail "'$*' ends with $?: $(tail -5 err)"
}

# The plugin is what stands between the first ```cpp and the next ```.
sed -n '/^```cpp$/,/^```$/p' "$readme" | sed '1d;/^```$/,$d' >mse.cpp
g++ -std=c++17 -O1 -shared -fPIC -fvisibility=hidden -I "$VISSL_SOURCE_DIR/sdk/include" \
  -Wl,--version-script="$VISSL_SOURCE_DIR/sdk/cmake/vissl_plugin.map" mse.cpp -o mse.so || fail "its plugin does not compile"
vissl-host describe loss/mse --plugins mse.so >out || fail "its plugin cannot be described"
grep -q 'Multiplies the loss' out || fail "its plugin shows no parameter"
cp mse.so mine.so

# The files of weights that commands name.
vissl-host --config exp.toml checkpoint.dir=weights >out 2>err || fail "a run of one epoch ends with $?: $(tail -5 err)"
cp weights/model_final_checkpoint_phase*.torch model.torch
cp model.torch resnet50.pth

ran=0
while read -r line; do
  line=${line%%  #*}
  line=${line#\$ }
  read -ra command <<<"${line//\'/}"  # quotes are the shell's
  case $line in
    "build/vissl-host "* | "vissl-host "*)
      run_host "${command[@]}"
      ran=$((ran + 1))
      ;;
    "torchrun "* | "srun "*)  # what each of their processes runs
      line=${line##*vissl-host }
      read -ra command <<<"vissl-host $line"
      run_host "${command[@]}"
      ran=$((ran + 1))
      ;;
    "source <("*) bash -euc "$line" || fail "'$line' fails" ;;
    scripts/*) [[ -x $VISSL_SOURCE_DIR/${command[0]} ]] || fail "${command[0]} is no program" ;;
    "sbatch "*)  # its options, then the script
      script=$(grep -oE 'scripts/[^ ]+' <<<"$line") || fail "what does '$line' submit?"
      [[ -x $VISSL_SOURCE_DIR/$script ]] || fail "$script, which '$line' submits, is no program"
      ;;
    "training "* | "epoch "* | "trained "*) ;;  # what the run prints
    *) packages+=" $line" ;;
  esac
done < <(sed -n 's/^    \([^ ].*\)/\1/p' "$readme")
((ran >= 7)) || fail "only $ran commands of vissl-host were found"

wanted=$(sed 's/#.*//' "$VISSL_SOURCE_DIR/scripts/packages.txt" | xargs)
[[ $(xargs <<<"$packages") == "$wanted" ]] || fail "lists other packages than scripts/packages.txt: $(xargs <<<"$packages")"

# Every file that it links to is there.
while read -r link; do
  [[ $link == http* || -e $VISSL_SOURCE_DIR/$link ]] || fail "links to $link, which is not there"
done < <(grep -oE '\]\([^)]+\)' "$readme" | sed 's/^](//; s/)$//')
echo "$ran commands of vissl-host ran"
