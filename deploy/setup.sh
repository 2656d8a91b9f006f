#!/bin/sh
# Leaves a working environment in .venv. Called by make, from the repository's root: sh deploy/setup.sh run|dev
#   run: what recording needs        dev: also what the tests need
# Called again it only compares a stamp. PYTHON may name the interpreter. POSIX sh: dash, and bash 3.2 on macOS.
set -eu

level=${1:-run}
venv=.venv
stamp=$venv/.ready-$level
oldest=11 newest=14 # Python 3.x: what the lock files hold wheels for

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
    say "$@"
    exit 1
}

# --- system packages ---------------------------------------------------------------------------------------------

# "root", "sudo" (without a password, or with one where somebody is there to type it), or "" when there is no way.
# A person is asked for a password only while something else is being set up too, never at every start.
privilege() {
    if ! command -v apt-get >/dev/null; then
        echo ""
    elif [ "$(id -u)" = 0 ]; then
        echo root
    elif ! command -v sudo >/dev/null; then
        echo ""
    elif sudo -n true 2>/dev/null || { [ "$1" = may-ask ] && [ -t 0 ] && [ -t 2 ]; }; then
        echo sudo
    fi
}

install_packages() { # root|sudo, then names
    by=$1
    shift
    say "installing $* with apt-get"
    # The time-out waits for an upgrade that may be running, as on a machine's first start. A failed update may be one
    # broken source among many: the installation decides. One shell for both asks for a password once.
    # The tests start servers of their own: what is installed for them runs neither now (Debian policy manual, 9.3.3)
    # nor after the next start of the machine.
    # shellcheck disable=SC2016  # "$@" is for the inner shell
    set -- env DEBIAN_FRONTEND=noninteractive sh -c '
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap "rm -f $policy" EXIT
            trap "exit 1" HUP INT TERM
            printf "#!/bin/sh\nexit 101\n" >"$policy"
            chmod 755 "$policy"
        fi
        apt-get -qq -o DPkg::Lock::Timeout=300 update
        apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" || exit
        for name in "$@"; do
            case $name in redis-server | postgresql)
                systemctl disable "$name" 2>/dev/null || update-rc.d "$name" disable 2>/dev/null || :
            esac
        done
    ' install "$@"
    [ "$by" = root ] || set -- sudo "$@"
    "$@" >/dev/null
}

exists() { # is any of these paths there?
    for path in "$@"; do
        if [ -e "$path" ]; then return 0; fi
    done
    return 1
}

# The Debian names of what is missing. It looks for the files, not for the packages, so that it costs nothing and is
# right on any Linux. On macOS there is nothing to look for: the Python wheels carry PortAudio.
missing_packages() {
    [ "$(uname -s)" = Linux ] || return 0
    [ -x "$venv/bin/python" ] || [ -n "${PYTHON:-}" ] || find_python >/dev/null || printf '%s\n' python3 python3-venv
    exists /usr/lib/libportaudio.so.2 /usr/lib*/libportaudio.so.2 /usr/lib/*/libportaudio.so.2 \
        /usr/local/lib*/libportaudio.so.2 || echo libportaudio2
    [ "$level" = dev ] || return 0
    # The tests play into a virtual microphone: PortAudio -> ALSA -> the PulseAudio plugin -> a PulseAudio of their own.
    command -v pulseaudio >/dev/null || echo pulseaudio
    command -v pactl >/dev/null || echo pulseaudio-utils
    exists /usr/lib*/alsa-lib/libasound_module_pcm_pulse.so /usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so ||
        echo libasound2-plugins
    # They start queue stores and databases of their own, on free ports and in temporary folders.
    command -v ps >/dev/null || echo procps
    command -v redis-server >/dev/null || echo redis-server
    exists /usr/lib/postgresql/*/bin/postgres /usr/local/bin/postgres /usr/bin/postgres || echo postgresql
    # They type in other shells than bash, and ask them for completions.
    command -v zsh >/dev/null || echo zsh
    command -v fish >/dev/null || echo fish
    # They build the load generator of benchmarks/ingest.
    command -v cc >/dev/null || printf '%s\n' gcc libc6-dev
}

# Installs what is missing if there is a way to; leaves in $missing what still is.
set_up_system() { # may-ask|never-ask
    missing=$(missing_packages | tr '\n' ' ')
    missing=${missing% }
    [ -n "$missing" ] || return 0
    by=$(privilege "$1")
    # shellcheck disable=SC2086  # a list of names, meant to be split
    if [ -n "$by" ] && install_packages "$by" $missing; then missing=; fi
}

how_to_install() {
    if command -v apt-get >/dev/null; then
        echo "please install: sudo apt-get install --no-install-recommends $missing"
    else
        echo "please install what this system calls: $missing (Debian's names)"
    fi
}

# --- Python ------------------------------------------------------------------------------------------------------

usable() { # is this an interpreter of the right version that can make a virtual environment?
    "$1" -c "import ensurepip, sys, venv; sys.exit(not (3, $oldest) <= sys.version_info[:2] <= (3, $newest))" 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3
    fi
    for candidate in "$@"; do
        if usable "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

no_python() {
    wanted="Python 3.$oldest to 3.$newest with its modules venv and ensurepip"
    if [ -n "${PYTHON:-}" ]; then
        echo "PYTHON=$PYTHON is not $wanted"
    elif [ -n "$missing" ]; then
        echo "no $wanted; $(how_to_install)"
    else
        echo "no $wanted; install one (macOS: brew install python@3.13), or name it: make setup PYTHON=/path/to/python3"
    fi
}

same_python() { # is .venv made from the interpreter that PYTHON asks for?
    [ -n "${PYTHON:-}" ] || return 0
    origin='import sys; print(sys.base_prefix, sys.version)'
    [ "$("$PYTHON" -c "$origin" 2>/dev/null)" = "$("$venv/bin/python" -c "$origin" 2>/dev/null)" ]
}

# What the environment depends on: the folder too, because scripts in .venv/bin hold its path.
inputs() {
    pwd -P
    cksum pyproject.toml requirements/run.txt requirements/dev.txt deploy/setup.sh
}

ready() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$(inputs)" ] && same_python && "$venv/bin/python" -I -c 'import plugandtell' 2>/dev/null
}

make_venv() {
    # Kept when it works and was made here (the line in the activate script names the folder), so that a changed lock
    # costs only what changed.
    "$venv/bin/python" -I -c 'import pip' 2>/dev/null && same_python &&
        grep -qF "$(pwd -P)/$venv" "$venv/bin/activate" && return 0
    python=$(find_python) || die "$(no_python)"
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

set_up_python() {
    make_venv
    say "installing the locked packages into $venv"
    # Wheels only: building a package from source would fetch build tools that no lock holds.
    pip install --require-hashes --only-binary :all: --requirement "requirements/$level.txt"
    pip install --no-deps --no-build-isolation --editable .
    inputs >"$stamp"
    if [ "$level" = dev ]; then cp "$stamp" "$venv/.ready-run"; fi # the one lock holds all of the other
}

pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input "$@"; }

case $level in
    run | dev) ;;
    *) die "usage: sh deploy/setup.sh run|dev" ;;
esac

if ready; then
    set_up_system never-ask
else
    set_up_system may-ask
    set_up_python
    say "done"
fi
[ -z "$missing" ] || say "files can be recorded; for a microphone and for all tests $(how_to_install)"
