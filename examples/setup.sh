# shellcheck shell=bash disable=SC2034
# Packages that weft is built from on Debian 12, in one place, and what scripts share. Sourced by those of examples and by tests/run.sh.

library_packages="g++ meson ninja-build ccache pkg-config libdnnl-dev libfmt-dev libhwy-dev nlohmann-json3-dev
  libicu-dev libsentencepiece-dev libboost-program-options-dev libboost-iostreams-dev libsndfile1-dev libpng-dev"
test_packages="doctest-dev git python3 chromium"
clang_packages="clang libomp-dev"  # for those who build with it

# usage LEAST MOST ARGUMENT...: ends a script that was called for help (-h, --help), or with another number of arguments or an option
# (status 2), with its usage: the comment at its head.
usage() {
  local least=$1 most=$2 argument print=(sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0")
  shift 2
  for argument in "$@"; do
    case $argument in
      -h | --help) "${print[@]}"; exit 0 ;;
      -*) echo "$0: there is no option $argument" >&2; "${print[@]}" >&2; exit 2 ;;
    esac
  done
  if [ $# -lt "$least" ] || [ $# -gt "$most" ]; then "${print[@]}" >&2; exit 2; fi
}

# need FILE...: ends a script where it will want a file that isn't there, before it builds or trains.
need() {
  local file missing=()
  for file in "$@"; do [ -r "$file" ] || missing+=("$file"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  printf 'There is no %s\n' "${missing[@]}" >&2
  exit 1
}

# install_missing PACKAGE...: installs those that are not there, as root or with sudo. Does nothing when all are.
install_missing() {
  local package as_root=() missing=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: nothing is installed here; what is needed, by its Debian names: $*"
    return 0
  fi
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Packages are missing, and installing them needs root or sudo. As root, run:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# configure_build FOLDER [-Doption=value...]: configures a build folder, or an existing one anew; the log is shown if that fails.
configure_build() {
  local folder=$1 log
  shift
  local options=("$@")
  [ ! -e "$folder/meson-private/coredata.dat" ] || options+=(--reconfigure)
  mkdir -p "$folder"
  log=$folder/configure.log
  meson setup "$folder" -Dseq2seq=enabled "${options[@]}" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

# build_program NAME: builds examples/NAME in build/, set up where it isn't yet. From the top folder. Threads of what the script runs
# wait briefly: those that spin on, as libgomp's do, cost much beside other work, and those that sleep at once cost speed without it.
build_program() {
  local quiet=
  [ -n "${OMP_WAIT_POLICY:-}" ] || export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-10000}
  # shellcheck disable=SC2086  # a list of words
  install_missing $library_packages
  [ -e build/build.ninja ] || configure_build build -Dtests=false -Dbenchmarks=false
  [ -t 2 ] || quiet=--quiet
  ninja -C build $quiet "examples/$1" >&2  # what the script itself prints may be a table
}

# keep_to NOTE WHAT FILE...: ends a script that is to go on in a folder which it filled from FILEs of other content, or with other
# settings than WHAT says (empty: none). NOTE, in that folder, keeps both.
keep_to() {
  local made_of
  made_of="$2 $(cat -- "${@:3}" | cksum)"
  mkdir -p "$(dirname "$1")"
  [ -s "$1" ] || echo "$made_of" >"$1"
  [ "$(cat "$1")" != "$made_of" ] || return 0
  echo "$0: $(dirname "$1") was made of other data${2:+ or not with $2}; name another OUTPUT_DIR, or remove that one" >&2
  exit 1
}

# unpack_once ARCHIVE INSIDE FOLDER: makes FOLDER of what the tar file has as INSIDE, unless it is there. A stop leaves no half of it,
# a file that is none an error that names it; so does another archive than FOLDER is of.
unpack_once() {
  [ -d "$3" ] || rm -f "$3.made_of"  # of an archive that couldn't be unpacked
  keep_to "$3.made_of" "" "$1"
  [ ! -d "$3" ] || return 0
  rm -rf "$3.unpacking"
  mkdir -p "$3.unpacking"
  if ! tar -xzf "$1" -C "$3.unpacking" || [ ! -d "$3.unpacking/$2" ]; then
    rm -r "$3.unpacking"
    echo "$0: $1 is no sound tar.gz with a folder $2" >&2
    exit 1
  fi
  mv "$3.unpacking/$2" "$3"
  rm -r "$3.unpacking"
}
