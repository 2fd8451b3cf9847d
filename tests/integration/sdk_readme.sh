#!/usr/bin/env bash
# The code of sdk/README.md compiles, its test passes, and its commands work, all against the installed SDK. A block is a file when
# its first line names one; blocks of sh are run. Links and headers that the text names are there.
set -euo pipefail
# shellcheck source=tests/integration/installed_tree.bash
source "$VISSL_SOURCE_DIR/tests/integration/installed_tree.bash"
readme=$VISSL_SOURCE_DIR/sdk/README.md

mkdir "$work/guide"
awk -v folder="$work/guide" '
  /^```$/ { file = ""; next }
  /^```sh$/ { file = folder "/commands.sh"; next }
  /^```/ { file = folder "/" $2; next }
  file != "" { print > file }' "$readme"
cd "$work/guide"
for file in focal_loss.cpp focal_loss_test.cpp counting_hook.cpp CMakeLists.txt commands.sh; do
  [[ -s $file ]] || { echo "the guide has no $file any more"; exit 1; }
done
sed -i 's/^cmake -S .*-DCMAKE_PREFIX_PATH="$PREFIX"/& -G Ninja/' commands.sh
grep -q -- '-G Ninja' commands.sh
PREFIX=$moved quietly bash -euo pipefail commands.sh
grep -q '100% tests passed' "$work/log"
grep -q 'loss/focal_loss  Cross entropy that counts easy samples less' "$work/log"

# The line without CMake, on the other file.
flags=$(tr '\n' ' ' <"$readme" | grep -oE '`-std=c\+\+17[^`]*`' | tr -d '`')
flags=${flags/vissl_plugin.map/$moved/lib/cmake/VisslSdk/vissl_plugin.map}
read -ra flags <<<"$flags"
mkdir by_hand
g++ "${flags[@]}" -I "$moved/include" counting_hook.cpp -o by_hand/counting_hook.so
"$host" list --plugins by_hand | grep -q 'counting_hook'

status=0
while read -r header; do
  [[ $header == *'*'* || $header == *KIND* || -e $moved/include/$header ]] || { echo "the guide names <$header>, which is not installed"; status=1; }
done < <(grep -oE '<vissl/[^>]*>' "$readme" | tr -d '<>' | sort -u)
while read -r link; do
  [[ -e $VISSL_SOURCE_DIR/sdk/$link ]] || { echo "the guide links to $link, which is not there"; status=1; }
done < <(grep -oE '\]\([^)]*\)' "$readme" | tr -d '](' | tr -d ')' | sort -u)
for kind in $("$host" __complete new-plugin '' | cut -f1); do
  grep -q "\`$kind\`" "$readme" || { echo "the guide does not name the kind $kind"; status=1; }
done
exit $status
