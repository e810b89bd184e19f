#!/usr/bin/env bash
# Run a command in an arm64 userland, emulated: enter.sh ROOT WORK COMMAND...
#
# The folder WORK is /mnt inside. All happens in namespaces of its own, whose end takes every mount
# and every process along, however it comes. BOARD is pi4 or pi5 (the default). OVERLAYS, "cpuinfo
# cpu" unless set, is there to show what happens without one or both.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$1" && pwd) work=$(cd "$2" && pwd)
shift 2

stop() { echo "enter.sh: $*" >&2; exit 1; }
case ${BOARD:-pi5} in
    pi4) cpu=cortex-a72 ;;
    pi5) cpu=cortex-a76 ;;
    *) stop "expected BOARD=pi4 or BOARD=pi5, got BOARD=$BOARD." ;;
esac
[[ $(uname -m) == x86_64 ]] || stop "expected an x86-64 machine to emulate on; this is $(uname -m)."
registration=$(compgen -G '/usr/lib/binfmt.d/qemu-aarch64*.conf' | head -n 1) \
    || stop "QEMU for arm64 is not installed. Debian, Ubuntu: apt install qemu-user-static"
unshare --user --map-root-user --mount --pid --fork true 2>/dev/null || stop "the kernel refuses" \
    "user namespaces. In a container: start it with --privileged; on Ubuntu: run as root."

python3 "$here/cpu_files.py" "${BOARD:-pi5}" "$work/overlays"

for file in /etc/{resolv.conf,hosts,ssl/certs/ca-certificates.crt} "${SSL_CERT_FILE-}" \
    "${REQUESTS_CA_BUNDLE-}" "${PIP_CERT-}"; do
    [[ -f $file ]] && install -D -m 644 "$file" "$root$file"
done

# In the background, so that a signal reaches this shell at once.
env -u PYTHON -u PYTHONPATH -u PYTHONHOME -u VIRTUAL_ENV -u TMPDIR \
    HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin QEMU_CPU="$cpu" \
    PIP_CACHE_DIR=/mnt/pip PIP_PROGRESS_BAR=off PIP_ROOT_USER_ACTION=ignore \
    unshare --user --map-root-user --mount --pid --fork --kill-child \
    "$here/mounts.sh" "$root" "$work" "$registration" "${OVERLAYS-cpuinfo cpu}" "$@" <&0 &
trap 'kill -KILL $! 2>/dev/null || :' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
wait $!
