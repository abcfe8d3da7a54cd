#!/bin/sh
# Makes .venv with the SDK in it, or does nothing when it is there and up to date.
#
#   scripts/setup.sh agent    the SDK and its agent: what `make demo` needs
#   scripts/setup.sh dev      those and the developers' tools: what `make test` needs
#   scripts/setup.sh docs     what builds the documentation, beside those of dev: what `make docs` needs
#
# Needs Python >= 3.11 with venv, and pip's package index. PYTHON=… chooses the Python.
set -eu
cd "$(dirname "$0")/.."

what=${1:-dev}
venv=.venv
want="$(pwd) $(cksum <pyproject.toml)"

case $what in
    agent) stamp=$venv/.made-agent ;;
    dev) stamp=$venv/.made-dev ;;
    docs) stamp=$venv/.made-docs ;;
    *) echo "setup.sh: 'agent', 'dev' or 'docs', not '$what'" >&2; exit 2 ;;
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
    elif [ "$(cat $stamp 2>/dev/null)" = "$want" ]; then
        exit 0
    elif [ -e $venv/.made-at ] && [ "$(cat $venv/.made-at)" != "$(pwd)" ]; then
        rm -rf $venv # moved or copied here: its scripts point to where it was
    fi
fi

if [ ! -x $venv/bin/python ]; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version) ($(command -v "$python"))"
    rm -rf $venv
    "$python" -m venv $venv
    pwd >$venv/.made-at
    # 25.1 is the first pip that knows dependency groups.
    $venv/bin/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
fi

[ "$what" = docs ] ||
    echo "Installing into $venv (Ray is some 500 MB; the first time this takes a minute or two)"
if [ "$what" = dev ]; then
    $venv/bin/python -m pip install -qq --editable '.[agent,cli]' --group dev
    echo "$want" >$venv/.made-agent
elif [ "$what" = docs ]; then
    $venv/bin/python -m pip install -qq --group docs
else
    $venv/bin/python -m pip install -qq --editable '.[agent]'
fi
echo "$want" >$stamp
