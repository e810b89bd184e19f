#!/usr/bin/env bash
# Test a bundle on this machine and on an emulated Raspberry Pi, and compare: run.sh BUILD [OPTIONS]
#
# The bundle is made with `edge-ttvos deploy --target raspberry-pi OPTIONS`, or is the folder that
# BUNDLE names. BUILD keeps the userland and what was installed in it. SUITE: bookworm (the default)
# or trixie; BOARD: pi4 or pi5 (the default); LIMIT: share of a mask's pixels that may differ;
# MIRROR: of Debian; PYTHON: one with edge-ttvos, on this machine.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1
shift
suite=${SUITE:-bookworm} board=${BOARD:-pi5} python=${PYTHON:-python3}
work=$build/board venv=venv-$suite

# Two runs would install over each other.
mkdir -p "$work"
exec 9>"$build/lock"
flock --nonblock 9 || { echo "run.sh: another run uses $build; wait for it." >&2; exit 1; }

# Should this shell be killed, what it runs is told so.
emulated() { setpriv --pdeathsig TERM "$here/enter.sh" "$build/$suite" "$work" "$@" </dev/null; }
sum_of() { cat "$@" | sha256sum; }

"$here/userland.sh" "$suite" "$build/$suite" "${MIRROR:-}"
emulated true # before minutes of work: all that emulation needs is there
if [[ -z ${BUNDLE:-} ]]; then
    BUNDLE=$build/bundle
    "$python" -m edge_ttvos.cli deploy --target raspberry-pi --out "$BUNDLE" --overwrite "$@"
fi
rm -rf "$work/bundle" "$work"/*.npz
cp -r "$BUNDLE" "$work/bundle"

# The installer runs again when what it installs is no longer the same; new code alone takes seconds.
needs=$(sum_of "$BUNDLE"/{requirements.txt,install.sh}) code=$(sum_of "$BUNDLE"/*.whl)
if [[ $(cat "$work/$venv/needs" 2>/dev/null) != "$needs" ]]; then
    echo "arm64: installing the bundle, emulated: minutes"
    rm -rf "${work:?}/$venv"
    emulated sh bundle/install.sh "/mnt/$venv"
    echo "$needs" >"$work/$venv/needs"
elif [[ $(cat "$work/$venv/code" 2>/dev/null) != "$code" ]]; then
    emulated sh -c "$venv/bin/python -m pip install -q --no-deps --force-reinstall bundle/*.whl"
fi
echo "$code" >"$work/$venv/code"

echo "arm64: self-test on this $(uname -m)"
"$python" -m edge_ttvos.firmware_bridge selftest "$work/bundle" --dump "$work/host.npz"
echo "arm64: self-test on an emulated $board, Debian $suite"
emulated "$venv/bin/python" -m edge_ttvos.firmware_bridge selftest bundle --dump arm64.npz
"$python" "$here/compare.py" "$work/host.npz" "$work/arm64.npz" ${LIMIT:+--limit "$LIMIT"}

# Graph by graph: integers must be the very same.
echo "arm64: the graphs on noise, here and there"
cp "$here/codes.py" "$work"
"$python" "$here/codes.py" "$work/bundle" "$work/host-codes.npz"
emulated "$venv/bin/python" codes.py bundle arm64-codes.npz
"$python" "$here/compare.py" "$work/host-codes.npz" "$work/arm64-codes.npz" --limit 0
