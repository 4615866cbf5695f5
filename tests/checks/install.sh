#!/usr/bin/env bash
# Installs a build into an empty folder; a program outside the project compiles against it with pkg-config, and runs. The same
# against the build folder itself, as the README says.
# Arguments: the build folder, the program, the compiler's command.
set -euo pipefail
build=$1 program=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$folder"
found=$(find "$folder" -name weft.pc)
[ -n "$found" ] || { echo "meson install put no weft.pc in place"; exit 1; }

# run_with LIBRARIES COMPILER...: compiles with the flags that pkg-config gives, and runs.
run_with() {
  local libraries=$1 output
  shift
  read -ra flags <<<"$(pkg-config --cflags --libs weft)"
  "$@" -std=c++20 "$program" -o "$folder/consumer" "${flags[@]}"
  output=$(LD_LIBRARY_PATH=$libraries "$folder/consumer")
  echo "$output"
  [[ $output == *4*5*6* ]] || { echo "the gradient of sum(x * w) with respect to x is w = [4, 5, 6]"; exit 1; }
}
# A library that is loaded while a program runs finds little room for what its threads have of their own.
python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$(dirname "${found%/*}")/libweft.so"

PKG_CONFIG_SYSROOT_DIR=$folder PKG_CONFIG_PATH=${found%/*} run_with "$(dirname "${found%/*}")" "$@"
PKG_CONFIG_PATH=$build/meson-uninstalled run_with "" "$@" "-Wl,-rpath,$build/src"
