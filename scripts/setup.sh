#!/bin/sh
# Makes .venv with the SDK in it, or does nothing when it is there and up to date.
#
#   scripts/setup.sh agent    the SDK, its agent and Ray: what `make demo` needs
#   scripts/setup.sh dev      those and the developers' tools: what every other target needs
#
# Everything comes from the lock, requirements/*.lock, so that a commit has the same environment next year. `make lock`
# writes it. Needs Python >= 3.11 with venv, and pip's package index. PYTHON=… chooses the Python.
set -eu
cd "$(dirname "$0")/.."

what=${1:-dev}
venv=.venv
stamp=$venv/.made-$what
# What the environment is made from: another place or another lock needs a new one, in which nothing is left over.
from="$(pwd) $(cat requirements/*.lock | cksum)"
# The command's entry points and the version are written when the SDK is installed.
want=$(cat pyproject.toml src/synapse_sdk/__init__.py | cksum)

case $what in
    agent | dev) ;;
    *) echo "setup.sh: 'agent' or 'dev', not '$what'" >&2; exit 2 ;;
esac

# The base interpreter of a Python, or of the Python a virtual environment was made from.
base_of() {
    "$1" -c 'import os, sys; print(os.path.realpath(sys._base_executable))' 2>/dev/null || true
}

# Running it is the only test that counts: a pyenv shim may be on PATH and still not run.
find_python() {
    seen=
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python3.14 python}; do
        found=$("$candidate" -c 'import sys; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null) || {
            [ -z "${PYTHON:-}" ] || seen="$seen
    $candidate: does not run"
            continue
        }
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            seen="$seen
    $candidate: $found, too old"
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            seen="$seen
    $candidate: $found, but without venv (on Debian and Ubuntu: apt-get install python3-venv)"
        else
            echo "$candidate"
            return
        fi
    done
    {
        echo "Python 3.11 or newer, with venv, is needed, and was not found. Here is:${seen:-
    no Python at all}"
        echo "Install one, or name it: make ${MAKE_GOAL:-demo} PYTHON=/path/to/python3.12"
    } >&2
    return 1
}

if [ -n "${PYTHON:-}" ]; then
    python=$(find_python) # before anything is thrown away
fi
if [ -x $venv/bin/python ]; then
    base=$(base_of $venv/bin/python)
    if [ -z "$base" ] || { [ -n "${PYTHON:-}" ] && [ "$(base_of "$PYTHON")" != "$base" ]; }; then
        rm -rf $venv # its Python is gone, or another one is asked for
    elif [ "$(cat $venv/.made-from 2>/dev/null)" != "$from" ]; then
        rm -rf $venv
    elif [ "$(cat $stamp 2>/dev/null)" = "$want" ]; then
        exit 0
    fi
fi

if [ ! -x $venv/bin/python ]; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version) ($(command -v "$python"))"
    rm -rf $venv
    "$python" -m venv $venv
    echo "$from" >$venv/.made-from
fi

# Neither dependencies nor the tools of a build are looked for: the lock has all of them.
install() {
    $venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps "$@"
}

echo "Installing into $venv (Ray is some 500 MB; the first time this takes a minute or two)"
install --require-hashes --requirement "requirements/$what.lock"
install --no-build-isolation --editable .
[ "$what" = agent ] || echo "$want" >$venv/.made-agent # which is all in there
echo "$want" >$stamp
